import { messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { Pod } from '#schema/types.ts';
import { grpcCodes, hasGrpcCode } from '../cri/mod.ts';
import { stopContainer } from './container-stopper.ts';
import { containersOf, isSidecar, podKey, uidOf } from './names.ts';
import type { PodContainer } from './names.ts';
import type { PodContext } from './pod-context.ts';
import { containerNameOf, liveContainers } from './runtime-pod.ts';
import type { RuntimeContainer } from './runtime-pod.ts';

/**
 * Stops all containers of a pod, then its sandboxes. Regular containers go together; each sidecar
 * waits for them and for the sidecars declared after it. Rejects when something could not be
 * stopped.
 */
export async function stopPod(
  pod: Pod,
  options: { graceSeconds: number | undefined; signal: AbortSignal },
  context: PodContext,
): Promise<void> {
  const runtimePod = context.cache.pod(uidOf(pod));
  try {
    await stopInOrder(pod, liveContainers(runtimePod), options, context);
    // Also those that are down already: their network may not be.
    const { sandboxes } = runtimePod;
    await Promise.all(sandboxes.map(({ id }) => stopSandbox(pod, id, context, options.signal)));
  } catch (error) {
    if (!options.signal.aborted) {
      const message = `error killing pod: ${messageOf(error)}`;
      context.events.pod(pod, 'Warning', 'FailedKillPod', message);
    }
    throw error;
  }
}

async function stopInOrder(
  pod: Pod,
  live: readonly RuntimeContainer[],
  options: { graceSeconds: number | undefined; signal: AbortSignal },
  context: PodContext,
): Promise<void> {
  const declared = containersOf(pod);
  const stop = (status: RuntimeContainer, after?: Promise<unknown>): Promise<void> => {
    const name = containerNameOf(status);
    const of = declared.find(({ container }) => container.name === name) ?? undeclared(name);
    return stopContainer({ pod, of, status, after, ...options }, context);
  };
  const sidecars = declared.filter(isSidecar).map(({ container }) => container.name);
  const rest = live.filter((status) => !sidecars.includes(containerNameOf(status)));
  const stops = [Promise.all(rest.map((status) => stop(status)))];
  // A container that cannot be stopped fails the whole; it does not hold up the sidecars.
  let before: Promise<unknown> = Promise.allSettled(stops);
  for (const name of sidecars.reverse()) {
    const after = before;
    const stopping = Promise.all(
      live.filter((one) => containerNameOf(one) === name).map((status) => stop(status, after)),
    );
    before = Promise.allSettled([after, stopping]);
    stops.push(stopping);
  }
  const results = await Promise.allSettled(stops);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** A container of the runtime that the pod does not declare (any more). */
function undeclared(name: string): PodContainer {
  return { container: { name }, kind: 'containers' };
}

async function stopSandbox(
  pod: Pod,
  id: string,
  { runtime, cache }: PodContext,
  signal: AbortSignal,
): Promise<void> {
  try {
    await traced('pod.stop-sandbox', { key: podKey(pod), uid: uidOf(pod) }, () =>
      runtime.stopPodSandbox(id, { signal }),
    );
    const known = cache.sandbox(id);
    if (known !== undefined) cache.putSandbox({ ...known, state: 'SANDBOX_NOTREADY' });
  } catch (error) {
    if (!hasGrpcCode(error, grpcCodes.notFound)) throw error;
    cache.dropSandbox(id);
  }
}

/** Removes what is left of a stopped pod in the runtime. */
export async function removeFromRuntime(
  uid: string,
  { runtime, cache }: Pick<PodContext, 'runtime' | 'cache'>,
): Promise<void> {
  const { sandboxes, containers } = cache.pod(uid);
  for (const { id } of containers) {
    await runtime.removeContainer(id);
    cache.dropContainer(id);
  }
  for (const { id } of sandboxes) {
    await runtime.removePodSandbox(id);
    cache.dropSandbox(id);
  }
}
