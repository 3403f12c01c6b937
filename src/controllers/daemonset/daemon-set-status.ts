import type { DaemonSet, DaemonSetStatus, Node, Pod } from '#schema/types.ts';
import { isPodAvailable, isPodReady } from '../pods/pod-state.ts';
import { count } from '../status-numbers.ts';
import { isUpdated } from './daemon-pod.ts';
import type { NodeFit } from './node-fit.ts';
import { byAge } from './placement.ts';

/** The numbers of a set over all nodes; pure. */
export function daemonSetStatus(options: {
  set: DaemonSet;
  nodes: readonly Node[];
  fitOf: (node: Node) => NodeFit;
  podsByNode: ReadonlyMap<string, readonly Pod[]>;
  hash: string;
  /** False while changes are awaited: then the numbers are not those of this generation. */
  isObserved: boolean;
  nowMs: number;
}): DaemonSetStatus {
  const { set, nodes, fitOf, podsByNode, hash, isObserved, nowMs } = options;
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  let [desired, current, misplaced, ready, updated, available] = [0, 0, 0, 0, 0, 0];
  for (const node of nodes) {
    const [pod] = byAge(podsByNode.get(node.metadata.name) ?? []);
    if (!fitOf(node).shouldRun) {
      if (pod !== undefined) misplaced += 1;
      continue;
    }
    desired += 1;
    if (pod === undefined) continue;
    current += 1;
    if (isPodReady(pod)) ready += 1;
    if (isPodAvailable(pod, minReadySeconds, nowMs)) available += 1;
    if (isUpdated(set, pod, hash)) updated += 1;
  }
  return {
    ...set.status,
    observedGeneration: isObserved ? set.metadata.generation : set.status?.observedGeneration,
    desiredNumberScheduled: desired,
    currentNumberScheduled: current,
    numberMisscheduled: misplaced,
    numberReady: ready,
    updatedNumberScheduled: count(updated),
    numberAvailable: count(available),
    numberUnavailable: count(desired - available),
  };
}
