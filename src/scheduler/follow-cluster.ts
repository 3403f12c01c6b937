import type { Informer } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { ClusterCache } from './cache/cluster-cache.ts';
import { nodeEvents } from './cluster-events.ts';
import { createPodInfo } from './framework/node-info.ts';
import type { ClusterEvent } from './framework/plugin.ts';
import type { NominatedPods } from './queue/nominated-pods.ts';
import type { SchedulingQueue } from './queue/scheduling-queue.ts';

export type MoveFor = (...events: ClusterEvent[]) => void;

/** Keeps the nodes of the cache, and tells the queue what may help waiting pods. */
export function followNodes(nodes: Informer<Node>, cache: ClusterCache, moveFor: MoveFor): void {
  nodes.addHandler({
    onAdd(node) {
      cache.setNode(node);
      moveFor('Node/Add');
    },
    onUpdate(before, node) {
      cache.setNode(node);
      moveFor(...nodeEvents(before, node));
    },
    onDelete(node) {
      cache.removeNode(node.metadata.name);
      moveFor('Node/Delete');
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
  const seePlaced = (key: string, pod: Pod, isNew: boolean): void => {
    queue.remove(key);
    nominated.remove(key);
    cache.setPod(pod);
    moveFor(isNew ? 'AssignedPod/Add' : 'AssignedPod/Update');
    const phase = pod.status?.phase;
    if (phase === 'Succeeded' || phase === 'Failed') moveFor('AssignedPod/Delete');
  };
  const seeWaiting = (key: string, pod: Pod): void => {
    if (!isOurs(pod) || cache.isAssumed(key)) return;
    if (pod.metadata.deletionTimestamp === undefined) {
      queue.add(createPodInfo(pod));
      return;
    }
    queue.remove(key);
    nominated.remove(key);
  };
  const see = (pod: Pod, isNew: boolean): void => {
    const key = keyOf(pod);
    if (isPlaced(pod)) seePlaced(key, pod, isNew);
    else seeWaiting(key, pod);
  };
  const seeNomination = (pod: Pod): void => {
    const nodeName = pod.status?.nominatedNodeName ?? '';
    if (isPlaced(pod)) return;
    if (nodeName === '') nominated.remove(keyOf(pod));
    else nominated.nominate(createPodInfo(pod), nodeName);
  };
  pods.addHandler({
    onAdd(pod) {
      seeNomination(pod);
      see(pod, true);
    },
    onUpdate(before, pod) {
      if (before.status?.nominatedNodeName !== pod.status?.nominatedNodeName) seeNomination(pod);
      const isStatusOnly =
        !isPlaced(pod) &&
        before.metadata.generation === pod.metadata.generation &&
        before.metadata.deletionTimestamp === pod.metadata.deletionTimestamp;
      // Our own note of why it waits must not bring the pod back.
      if (!isStatusOnly) see(pod, !isPlaced(before));
    },
    onDelete(pod) {
      const key = keyOf(pod);
      queue.remove(key);
      nominated.remove(key);
      cache.removePod(key);
      if (isPlaced(pod)) moveFor('AssignedPod/Delete');
    },
  });
}

function keyOf(pod: Pod): string {
  return `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
}

function isPlaced(pod: Pod): boolean {
  return (pod.spec?.nodeName ?? '') !== '';
}
