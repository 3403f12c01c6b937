import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { resources } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { deletePod, markDisrupted } from '../pods/disruption.ts';
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
  const endTerminating = async (pod: Pod): Promise<void> => {
    if (!isPodFinished(pod)) {
      const { namespace } = pod.metadata;
      const next = { ...pod, status: { ...pod.status, phase: 'Failed' } };
      try {
        await client.update<Pod>(resources.pods, next, { namespace, subresource: 'status' });
      } catch (error) {
        if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
        // Looked at again in the next round.
        return;
      }
    }
    await deletePod(client, pod, 0);
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
    const finished = all.filter((pod) => isPodFinished(pod) && !isDeleting(pod));
    if (threshold > 0 && finished.length > threshold) {
      const oldest = finished.sort((a, b) => (createdAt(a) < createdAt(b) ? -1 : 1));
      for (const pod of oldest.slice(0, finished.length - threshold))
        await deletePod(client, pod, 0);
    }
    for (const pod of all) {
      const node = pod.spec?.nodeName ?? '';
      if (gone.has(node)) await end(pod);
      else if (isDeleting(pod) && isOutOfService(node)) await endTerminating(pod);
      else if (node === '' && isDeleting(pod)) await deletePod(client, pod, 0);
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

function createdAt(pod: Pod): string {
  return pod.metadata.creationTimestamp ?? '';
}
