import { join } from 'node:path';
import { formatTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { makeDirectory } from '#host/files.ts';
import { containersOf, namespaceOf } from '../../pods/names.ts';
import { KubeletRequestError } from '../request-error.ts';
import type { KubeletServerOptions } from '../server-options.ts';

type Options = Pick<KubeletServerOptions, 'checkpointDirectory' | 'clock'> & {
  readonly kubelet: Pick<KubeletServerOptions['kubelet'], 'podByName' | 'getContainer'>;
  readonly runtime: Pick<KubeletServerOptions['runtime'], 'checkpointContainer'>;
};

/**
 * POST /checkpoint/{namespace}/{pod}/{container}: has the runtime write a container that runs to a
 * file and answers its name. 404 for what is not there, 500 and the runtime's words when it cannot.
 */
export async function checkpointContainer(
  options: Options,
  [, namespace = '', podName = '', name = '', ...more]: readonly string[],
  query: URLSearchParams,
): Promise<{ items: string[] }> {
  const { kubelet, runtime, checkpointDirectory, clock } = options;
  if (name === '' || more.length > 0) throw new KubeletRequestError(404, '404 page not found\n');
  const pod = kubelet.podByName(namespace, podName);
  if (pod === undefined) throw new KubeletRequestError(404, 'pod does not exist');
  if (!containersOf(pod).some(({ container }) => container.name === name)) {
    throw new KubeletRequestError(404, `container ${name} does not exist`);
  }
  const timeout = query.getAll('timeout').at(-1) ?? '0';
  if (!/^[+-]?\d+$/.test(timeout)) {
    throw new KubeletRequestError(404, 'cannot parse value of timeout parameter');
  }
  try {
    const found = kubelet.getContainer(namespace, podName, name);
    if (found?.state !== 'CONTAINER_RUNNING') throw new Error(`container ${name} not found`);
    if (Number(timeout) < 0) {
      throw new Error('CheckpointContainer requires the timeout value to be > 0');
    }
    const fullName = `${pod.metadata.name}_${namespaceOf(pod)}`;
    const file = `checkpoint-${fullName}-${name}-${formatTime(clock.now())}.tar`;
    const location = join(checkpointDirectory, file);
    await makeDirectory(checkpointDirectory, 0o700);
    await runtime.checkpointContainer(found.containerId, location, Number(timeout));
    return { items: [location] };
  } catch (error) {
    const place = `${namespace}/${podName}/${name}`;
    throw new KubeletRequestError(
      500,
      `checkpointing of ${place} failed (${messageOf(error)})`,
      error,
    );
  }
}
