import { objectKey, resources, startControllerLoop } from '#client/mod.ts';
import { toleratesTaint } from '#schema/pods/mod.ts';
import type { Node, Pod, Taint } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { deletePod, markDisrupted } from '../pods/disruption.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { indexByNode, podsOnNode } from '../pods/pods-on-node.ts';

/**
 * How long a pod may stay under these NoExecute taints: 0 when one is not tolerated, the shortest
 * tolerationSeconds, or for ever. Of several tolerations of a taint the first counts.
 */
export function tolerationMs(pod: Pod, taints: readonly Taint[]): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const first = pod.spec?.tolerations?.find((one) => toleratesTaint(one, taint));
    if (first === undefined) return 0;
    const { tolerationSeconds } = first;
    if (tolerationSeconds === undefined) continue;
    shortest = Math.min(shortest, Math.max(tolerationSeconds, 0) * 1000);
  }
  return shortest;
}

/** Deletes pods from nodes with NoExecute taints that they do not tolerate, or no longer. */
export const startTaintEviction: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const nodes = informers.informer<Node>(resources.nodes);
  const pods = informers.informer<Pod>(resources.pods);
  indexByNode(pods);
  /** Since when a pod is under taints, by pod key. */
  const since = new Map<string, number>();

  const cancel = (key: string, pod: Pod | undefined): void => {
    if (!since.delete(key) || pod === undefined) return;
    events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
  };
  const deletions = context.metrics.counter({
    name: 'taint_eviction_controller_pod_deletions_total',
    help: 'Pods that were deleted for a taint.',
    stability: 'ALPHA',
  });
  const delays = context.metrics.histogram({
    name: 'taint_eviction_controller_pod_deletion_duration_seconds',
    help: 'Time between when a pod had to go and its deletion.',
    stability: 'ALPHA',
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
  });
  const evict = async (key: string, pod: Pod, dueMs: number): Promise<void> => {
    events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
    const reason = 'DeletionByTaintManager';
    const message = 'Taint manager: deleting due to NoExecute taint';
    await markDisrupted({ client, pod, reason, message, nowMs: clock.now() });
    await deletePod(client, pod);
    deletions.with().value++;
    delays.with().observe(Math.max(clock.now() - dueMs, 0) / 1000);
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'taint-eviction-controller',
    clock,
    log,
    signal,
    workers: 8,
    ready: Promise.all([nodes.synced(signal), pods.synced(signal)]),
    async reconcile(key) {
      const pod = pods.get(key);
      if (pod === undefined || isDeleting(pod)) {
        since.delete(key);
        return undefined;
      }
      const taints = noExecuteTaints(nodes.get(pod.spec?.nodeName ?? ''));
      const allowedMs = taints.length === 0 ? Number.POSITIVE_INFINITY : tolerationMs(pod, taints);
      if (allowedMs === Number.POSITIVE_INFINITY) {
        cancel(key, pod);
        return undefined;
      }
      const startMs = since.get(key) ?? clock.now();
      since.set(key, startMs);
      const leftMs = startMs + allowedMs - clock.now();
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      await evict(key, pod, startMs + allowedMs);
      since.delete(key);
      return undefined;
    },
  });
  const { queue } = loop;
  const enqueuePods = (node: Node): void => {
    for (const pod of podsOnNode(pods, node.metadata.name)) queue.add(objectKey(pod));
  };
  nodes.addHandler({
    onAdd(node) {
      if (noExecuteTaints(node).length > 0) enqueuePods(node);
    },
    onUpdate(old, node) {
      if (noExecuteTaints(old).length > 0 || noExecuteTaints(node).length > 0) enqueuePods(node);
    },
  });
  pods.addHandler({
    onAdd(pod) {
      if (noExecuteTaints(nodes.get(pod.spec?.nodeName ?? '')).length > 0)
        queue.add(objectKey(pod));
    },
    onUpdate(_old, pod) {
      if (noExecuteTaints(nodes.get(pod.spec?.nodeName ?? '')).length > 0)
        queue.add(objectKey(pod));
    },
    onDelete: (pod) => void since.delete(objectKey(pod)),
  });
  return loop.done;
};

function noExecuteTaints(node: Node | undefined): Taint[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
}
