import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { resources } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { deletePod, endPod, markDisrupted } from '../pods/disruption.ts';
import { isDeleting, isPodFinished } from '../pods/pod-state.ts';

const checkMs = 20_000;
/** A node that is not there must stay away for this long before its pods are given up. */
const quarantineMs = 40_000;
const defaultThreshold = 12_500;
const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

/**
 * Removes pods that nobody else will: of nodes that are gone or out of service, ended before a
 * node, or finished ones beyond a number.
 */
export const startPodGarbageCollector: StartController = async (context) => {
  const { client, informers, clock, log, signal, options } = context;
  const nodes = informers.informer<Node>(resources.nodes);
  const pods = informers.informer<Pod>(resources.pods);
  const missingSince = new Map<string, number>();
  const threshold = options.terminatedPodThreshold ?? defaultThreshold;

  /** Nodes that pods name and that have been gone for long enough, by the server's word. */
  const goneNodes = async (): Promise<ReadonlySet<string>> => {
    const gone = new Set<string>();
    const named = new Set(pods.list().map((pod) => pod.spec?.nodeName ?? ''));
    for (const name of missingSince.keys()) {
      if (!named.has(name) || nodes.get(name) !== undefined) missingSince.delete(name);
    }
    for (const name of named) {
      if (name === '' || nodes.get(name) !== undefined) continue;
      const since = missingSince.get(name) ?? clock.now();
      missingSince.set(name, since);
      if (clock.now() - since < quarantineMs) continue;
      const isThere = await client.get(resources.nodes, name).then(
        () => true,
        (error: unknown) => {
          if (hasReason(error, 'NotFound')) return false;
          throw error;
        },
      );
      if (!isThere) gone.add(name);
    }
    return gone;
  };
  /** Somebody says that the node is off: what is being deleted there will not end by itself. */
  const isOutOfService = (name: string): boolean => {
    const node = nodes.get(name);
    const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
    const hasTaint = node?.spec?.taints?.some(({ key }) => key === outOfServiceTaint) === true;
    return hasTaint && ready?.status !== 'True';
  };
  const deletions = context.metrics.counter({
    name: 'pod_gc_collector_force_delete_pods_total',
    help: 'Pods that were deleted by force.',
    stability: 'ALPHA',
    labels: ['namespace', 'reason'],
  });
  const count = (pod: Pod, reason: string): void => {
    deletions.with(pod.metadata.namespace ?? '', reason).value++;
  };
  const end = async (pod: Pod): Promise<void> => {
    if (!isPodFinished(pod)) {
      const reason = 'DeletionByPodGC';
      const message = 'PodGC: node no longer exists';
      const nowMs = clock.now();
      await markDisrupted({ client, pod, reason, message, phase: 'Failed', nowMs });
    }
    await deletePod(client, pod, 0);
  };
  const collect = async (): Promise<void> => {
    const gone = await goneNodes();
    const all = pods.list();
    const finished = all.filter(isPodFinished);
    if (threshold > 0 && finished.length > threshold) {
      const ranked = finished.toSorted(compareForCollection);
      for (const pod of ranked.slice(0, finished.length - threshold)) {
        await deletePod(client, pod, 0);
        count(pod, 'terminated');
      }
    }
    for (const pod of all) {
      const node = pod.spec?.nodeName ?? '';
      if (gone.has(node)) {
        await end(pod);
        count(pod, 'orphaned');
      } else if (isDeleting(pod) && isOutOfService(node)) {
        await endPod(client, pod);
        count(pod, 'out-of-service');
      } else if (node === '' && isDeleting(pod)) {
        await endPod(client, pod);
        count(pod, 'unscheduled');
      }
    }
  };

  await Promise.all([nodes.synced(signal), pods.synced(signal)]).catch(() => undefined);
  while (!signal.aborted) {
    try {
      await collect();
    } catch (error) {
      log.warning('cannot collect pods', { error: messageOf(error) });
    }
    await clock.sleep(checkMs, signal).catch(() => undefined);
  }
};

/** Evicted pods first, then the oldest. */
function compareForCollection(a: Pod, b: Pod): number {
  const { creationTimestamp: at = '', name } = a.metadata;
  const { creationTimestamp: other = '', name: otherName } = b.metadata;
  const byEviction = Number(isEvicted(b)) - Number(isEvicted(a));
  if (byEviction !== 0) return byEviction;
  if (at !== other) return at < other ? -1 : 1;
  return name < otherName ? -1 : 1;
}

function isEvicted({ status }: Pod): boolean {
  return status?.phase === 'Failed' && status.reason === 'Evicted';
}
