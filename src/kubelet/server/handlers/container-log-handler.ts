import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '#base/errors.ts';
import type { ContainerStatus, Pod } from '#schema/types.ts';
import { readContainerLog } from '../container-log/read-log.ts';
import type { ContainerLookup } from '../../kubelet-options.ts';
import { containersOf } from '../../pods/names.ts';
import { KubeletRequestError } from '../request-error.ts';
import type { KubeletServerOptions, KubeletView } from '../server-options.ts';

interface LogQuery {
  isFollowing: boolean;
  isPrevious: boolean;
  hasTimestamps: boolean;
  sinceTime: string | undefined;
  tailLines: number | undefined;
  limitBytes: number | undefined;
}

/** /containerLogs/{namespace}/{pod}/{container}. */
export async function answerContainerLog(
  options: Pick<KubeletServerOptions, 'kubelet' | 'clock' | 'log'>,
  of: { namespace: string; podName: string; container: string },
  exchange: { request: IncomingMessage; response: ServerResponse; query: URLSearchParams },
): Promise<void> {
  const { kubelet, clock, log } = options;
  const { response } = exchange;
  const query = readQuery(exchange.query, clock.now());
  const { namespace, podName, container } = of;
  const pod = kubelet.podByName(namespace, podName);
  if (pod === undefined) {
    throw new KubeletRequestError(404, `pod ${JSON.stringify(podName)} does not exist\n`);
  }
  if (!containersOf(pod).some((one) => one.container.name === container)) {
    const where = `in pod ${JSON.stringify(podName)}`;
    throw new KubeletRequestError(
      404,
      `container ${JSON.stringify(container)} not found ${where}\n`,
    );
  }
  const { path, id } = chooseLog(kubelet, pod, container, query.isPrevious);
  const leaving = new AbortController();
  response.once('close', () => leaving.abort());
  const isRunning = (): boolean => {
    const found = kubelet.getContainer(namespace, podName, container);
    return found?.containerId === id && found.state === 'CONTAINER_RUNNING';
  };
  response.setHeader('Content-Type', 'text/plain');
  const pieces = readContainerLog({ ...query, path, isRunning, clock, signal: leaving.signal });
  try {
    // Opening the file is the first step: its failure is still an answer of its own.
    let piece = query.isFollowing ? undefined : await pieces.next();
    response.flushHeaders();
    piece ??= await pieces.next();
    for (; piece.done !== true; piece = await pieces.next()) {
      if (!response.write(piece.value)) {
        await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
    }
    response.end();
  } catch (error) {
    if (!response.headersSent) throw new KubeletRequestError(400, messageOf(error), error);
    log.warning('reading a container log failed', { path, error: messageOf(error) });
    response.destroy();
  }
}

function readQuery(query: URLSearchParams, nowMs: number): LogQuery {
  const number = (name: string, lowest: number): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    if (!/^-?\d+$/.test(text)) {
      throw new KubeletRequestError(400, '{"message": "Unable to decode query."}');
    }
    if (Number(text) < lowest) throw invalidRequest();
    return Number(text);
  };
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const sinceSeconds = number('sinceSeconds', 1);
  const sinceTime = query.get('sinceTime') ?? undefined;
  if (sinceSeconds !== undefined && sinceTime !== undefined) throw invalidRequest();
  // `tail` is the older name, and says `all` for no limit.
  const tail = query.get('tail') === 'all' ? undefined : number('tail', 0);
  return {
    isFollowing: flag('follow'),
    isPrevious: flag('previous'),
    hasTimestamps: flag('timestamps'),
    sinceTime:
      sinceSeconds === undefined ? sinceTime : new Date(nowMs - sinceSeconds * 1000).toISOString(),
    tailLines: number('tailLines', 0) ?? tail,
    limitBytes: number('limitBytes', 1),
  };
}

function invalidRequest(): KubeletRequestError {
  return new KubeletRequestError(422, '{"message": "Invalid request."}');
}

/** The container of a name whose log is meant, by what the pod's status says of it. */
function chooseLog(
  kubelet: KubeletView,
  pod: Pod,
  container: string,
  isPrevious: boolean,
): { path: string; id: string } {
  const { name, namespace = '' } = pod.metadata;
  const id = chooseContainerId(pod, container, isPrevious).replace(/^[^:]*:\/\//, '');
  const lookups = [false, true].map((wasBefore) =>
    kubelet.getContainer(namespace, name, container, { isPrevious: wasBefore }),
  );
  const found = lookups.find((one): one is ContainerLookup => one?.containerId === id);
  if (found === undefined) {
    throw new KubeletRequestError(400, `unable to retrieve container logs for containerd://${id}`);
  }
  return { path: found.logPath, id };
}

const waitingTexts: Readonly<Record<string, string>> = {
  ErrImagePull: "image can't be pulled",
  ImagePullBackOff: 'trying and failing to pull image',
};

/** Throws with upstream's texts when there is no container to read from. */
export function chooseContainerId(pod: Pod, container: string, isPrevious: boolean): string {
  const { status } = pod;
  const statuses: readonly ContainerStatus[] = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  const where = `${JSON.stringify(container)} in pod ${JSON.stringify(pod.metadata.name)}`;
  const refuse = (text: string): KubeletRequestError => new KubeletRequestError(400, text);
  const found = statuses.find((one) => one.name === container);
  if (found === undefined) throw refuse(`container ${where} is not available`);
  const last = found.lastState?.terminated?.containerID ?? '';
  if (isPrevious) {
    if (last === '') throw refuse(`previous terminated container ${where} not found`);
    return last;
  }
  const { running, terminated, waiting } = found.state ?? {};
  if (running !== undefined) return found.containerID ?? '';
  if (terminated !== undefined) {
    const own = terminated.containerID ?? '';
    if (own !== '') return own;
    if (last !== '') return last;
    throw refuse(`container ${where} is terminated`);
  }
  if (last !== '') return last;
  if (waiting === undefined) throw refuse(`container ${where} is waiting to start - no logs yet`);
  const reason = waiting.reason ?? '';
  throw refuse(`container ${where} is waiting to start: ${waitingTexts[reason] ?? reason}`);
}
