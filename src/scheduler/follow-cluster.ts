import type { Informer } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { ClusterCache } from './cache/cluster-cache.ts';
import { allocatedAmounts } from './cache/counts-alike.ts';
import { differ, nodeEvents } from './cluster-events.ts';
import type { Happening } from './framework/happening.ts';
import { createPodInfo } from './framework/node-info.ts';
import type { NodeInfo } from './framework/node-info.ts';
import type { NominatedPods } from './queue/nominated-pods.ts';
import type { SchedulingQueue } from './queue/scheduling-queue.ts';

export type MoveFor = (happening: Happening) => void;

/** Keeps the nodes of the cache, and tells the queue what may help waiting pods. */
export function followNodes(nodes: Informer<Node>, cache: ClusterCache, moveFor: MoveFor): void {
  nodes.addHandler({
    onAdd(node) {
      cache.setNode(node);
      moveFor({ event: 'Node/Add', node });
    },
    onUpdate(formerNode, node) {
      cache.setNode(node);
      for (const event of nodeEvents(formerNode, node)) moveFor({ event, node, formerNode });
    },
    onDelete(node) {
      cache.removeNode(node.metadata.name);
      moveFor({ event: 'Node/Delete', node });
    },
  });
}

/** Pods with a node go to the cache, pods that wait for one of ours to the queue. */
export function followPods(options: {
  pods: Informer<Pod>;
  cache: ClusterCache;
  queue: SchedulingQueue;
  nominated: NominatedPods;
  moveFor: MoveFor;
  isOurs: (pod: Pod) => boolean;
}): void {
  const { pods, cache, queue, nominated, moveFor, isOurs } = options;
  const nodeOf = (pod: Pod): NodeInfo | undefined => cache.node(pod.spec?.nodeName ?? '');
  const seePlaced = (key: string, pod: Pod, former: Pod | undefined): void => {
    if (former === undefined || !isPlaced(former)) {
      queue.remove(key);
      nominated.remove(key);
    }
    cache.setPod(pod);
    if (isFinished(pod)) {
      if (former !== undefined && isPlaced(former) && !isFinished(former)) {
        moveFor({ event: 'AssignedPod/Delete', pod, nodeInfo: nodeOf(pod) });
      }
      return;
    }
    if (former === undefined || !isPlaced(former)) moveFor({ event: 'AssignedPod/Add', pod });
    else if (isSpecChange(former, pod) || isResized(former, pod)) {
      moveFor({ event: 'AssignedPod/Update', pod, formerPod: former, nodeInfo: nodeOf(pod) });
    }
  };
  const seeWaiting = (key: string, pod: Pod, former: Pod | undefined): void => {
    if (!isOurs(pod) || cache.isAssumed(key)) return;
    if (pod.metadata.deletionTimestamp !== undefined || isFinished(pod)) {
      queue.remove(key);
      nominated.remove(key);
      return;
    }
    const info = createPodInfo(pod);
    // Our own note of why it waits must not bring the pod back.
    if (former !== undefined && !isSpecChange(former, pod)) queue.refresh(info);
    else queue.add(info);
  };
  const seeNomination = (pod: Pod): void => {
    const nodeName = pod.status?.nominatedNodeName ?? '';
    // One that is being bound counts on its node already.
    if (isPlaced(pod) || cache.isAssumed(keyOf(pod))) return;
    if (nodeName === '') {
      nominated.remove(keyOf(pod));
      moveFor({ event: 'AssignedPod/Delete', pod });
    } else nominated.nominate(createPodInfo(pod), nodeName);
  };
  const see = (pod: Pod, former: Pod | undefined): void => {
    const key = keyOf(pod);
    if (isPlaced(pod)) seePlaced(key, pod, former);
    else seeWaiting(key, pod, former);
  };
  pods.addHandler({
    onAdd(pod) {
      if (pod.status?.nominatedNodeName !== undefined) seeNomination(pod);
      see(pod, undefined);
    },
    onUpdate(before, pod) {
      if (before.metadata.uid !== pod.metadata.uid) {
        // deleted and made anew between two looks: nothing of the former one counts
        forget(before);
        see(pod, undefined);
        return;
      }
      if (before.status?.nominatedNodeName !== pod.status?.nominatedNodeName) seeNomination(pod);
      see(pod, before);
    },
    onDelete: (pod) => forget(pod),
  });
  const forget = (pod: Pod): void => {
    const key = keyOf(pod);
    const wasNominated = nominated.nodeOf(key) !== undefined;
    queue.remove(key);
    nominated.remove(key);
    cache.removePod(key);
    // The room that was kept for it is free as well.
    if (isPlaced(pod) || wasNominated) {
      moveFor({ event: 'AssignedPod/Delete', pod, nodeInfo: nodeOf(pod) });
    }
  };
}

/** Anything but a new status: generation counts the spec, labels and the mark of deletion do not. */
function isSpecChange(before: Pod, after: Pod): boolean {
  return (
    before.metadata.generation !== after.metadata.generation ||
    before.metadata.deletionTimestamp !== after.metadata.deletionTimestamp ||
    differ(before.metadata.labels, after.metadata.labels)
  );
}

function isResized(before: Pod, after: Pod): boolean {
  return differ(allocatedAmounts(before), allocatedAmounts(after));
}

function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function keyOf(pod: Pod): string {
  return `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
}

function isPlaced(pod: Pod): boolean {
  return (pod.spec?.nodeName ?? '') !== '';
}
