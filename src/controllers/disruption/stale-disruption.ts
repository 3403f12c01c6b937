import { formatTime } from '#base/clock.ts';
import { hasReason } from '#base/api-status-error.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { ControllerLoop, Informer } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import type { ControllerContext } from '../context.ts';
import { isDeleting, isPodFinished, podCondition } from '../pods/pod-state.ts';

const type = 'DisruptionTarget';
const timeoutMs = 2 * 60_000;

/** Time until the pod's note of its end is stale, because nobody has ended it. */
function staleAfterMs(pod: Pod, nowMs: number): number | undefined {
  const condition = podCondition(pod, type);
  if (isDeleting(pod) || isPodFinished(pod) || condition?.status !== 'True') return undefined;
  // A kubelet may take any time between the note and the end.
  if (condition.reason === 'TerminationByKubelet') return undefined;
  return Math.max(Date.parse(condition.lastTransitionTime ?? '') + timeoutMs - nowMs, 0);
}

/** Takes back DisruptionTarget of pods that were to be ended and were not. */
export function startStaleDisruptionLoop(
  { client, clock, log, signal, queueMeter }: ControllerContext,
  pods: Informer<Pod>,
): ControllerLoop & { look: (key: string, pod: Pod) => void } {
  const loop = startControllerLoop({
    meter: queueMeter,
    name: 'disruption-controller-stale-pods',
    clock,
    log,
    signal,
    ready: pods.synced(signal),
    async reconcile(key) {
      const pod = pods.get(key);
      const waitMs = pod === undefined ? undefined : staleAfterMs(pod, clock.now());
      if (pod === undefined || waitMs === undefined) return undefined;
      if (waitMs > 0) return { requeueAfterMs: waitMs };
      const lastTransitionTime = formatTime(clock.now());
      const conditions = (pod.status?.conditions ?? []).map((condition) =>
        condition.type === type ? { type, status: 'False', lastTransitionTime } : condition,
      );
      const next = { ...pod, status: { ...pod.status, conditions } };
      const options = { namespace: pod.metadata.namespace, subresource: 'status' };
      try {
        await client.update<Pod>(resources.pods, next, options);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      return undefined;
    },
  });
  const look = (key: string, pod: Pod): void => {
    const waitMs = staleAfterMs(pod, clock.now());
    if (waitMs !== undefined) loop.queue.addAfter(key, waitMs);
  };
  return { ...loop, look };
}
