import { containersOf } from '../../pods/names.ts';
import { KubeletRequestError } from '../request-error.ts';
import type { KubeletServerOptions } from '../server-options.ts';

/**
 * POST /checkpoint/{namespace}/{pod}/{container}: 404 for what does not exist. Containers are not
 * checkpointed: the answer is the one upstream gives for a runtime that cannot.
 */
export async function refuseCheckpoint(
  { kubelet }: Pick<KubeletServerOptions, 'kubelet'>,
  [, namespace = '', podName = '', name = '', ...more]: readonly string[],
): Promise<void> {
  if (name === '' || more.length > 0) throw new KubeletRequestError(404, '404 page not found\n');
  const pod = kubelet.podByName(namespace, podName);
  if (pod === undefined) throw new KubeletRequestError(404, 'pod does not exist');
  if (!containersOf(pod).some(({ container }) => container.name === name)) {
    throw new KubeletRequestError(404, `container ${name} does not exist`);
  }
  throw new KubeletRequestError(
    500,
    `checkpointing of ${namespace}/${podName}/${name} failed (checkpointing containers is not supported)`,
  );
}
