import type { PodActions } from './action-types.ts';
import { crashKey } from './container-starter.ts';
import { stopContainer } from './container-stopper.ts';
import type { PodContext } from './pod-context.ts';
import type { StepResult, SyncRequest } from './pod-sync.ts';
import { criTimeMs, isRunning } from './runtime-pod.ts';

/**
 * Ends and removes the containers of a pod that starts over in its sandbox because one of them
 * ended with a code whose rule says so. Nobody gets time to end properly: the pod is to be as new
 * soon. The source's back-off holds for the whole pod.
 */
export async function resetPod(
  toReset: PodActions['toReset'],
  { pod, signal, publish }: SyncRequest,
  context: PodContext,
): Promise<StepResult> {
  const { runtime, cache, crashBackOff, clock } = context;
  const source = toReset.at(-1);
  const [last] = source?.statuses ?? [];
  if (source !== undefined && last !== undefined) {
    const key = crashKey(pod, source.of.container);
    const endedMs = criTimeMs(last.finishedAt);
    const remainingMs = crashBackOff.remainingMs(key, endedMs);
    if (remainingMs > 0) {
      return { hasStarted: false, hasFailed: true, retryAtMs: clock.now() + remainingMs };
    }
    crashBackOff.next(key, endedMs);
  }
  // The condition is seen before anything is missing.
  await publish();
  for (const { of, statuses } of toReset) {
    for (const status of statuses) {
      if (isRunning(status)) {
        await stopContainer({ pod, of, status, graceSeconds: 0, signal }, context);
      }
      await runtime.removeContainer(status.id, { signal });
      cache.dropContainer(status.id);
    }
    await publish();
  }
  return { hasStarted: true, hasFailed: false, retryAtMs: undefined };
}
