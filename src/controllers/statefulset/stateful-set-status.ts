import type { Pod, StatefulSet, StatefulSetStatus } from '#schema/types.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { count } from '../status-numbers.ts';
import {
  isCreated,
  isRunningAndAvailable,
  isRunningAndReady,
  replicasOf,
  revisionOf,
} from './set-facts.ts';
import type { SetRevisions } from './set-revisions.ts';

/** The status after a round, `created` being the pods that it made; pure. */
export function statefulSetStatus(options: {
  set: StatefulSet;
  revisions: SetRevisions;
  pods: readonly Pod[];
  created: readonly Pod[];
  endedForUpdate: number;
  nowMs: number;
}): StatefulSetStatus {
  const { set, revisions, pods, created, endedForUpdate, nowMs } = options;
  const { current, update, collisionCount } = revisions;
  let [replicas, ready, available, currentReplicas, updated] = [0, 0, 0, -endedForUpdate, 0];
  for (const pod of [...pods, ...created]) {
    if (!isCreated(pod)) continue;
    replicas += 1;
    if (isRunningAndReady(pod)) ready += 1;
    if (isRunningAndAvailable(pod, set, nowMs)) available += 1;
    if (isDeleting(pod)) continue;
    if (revisionOf(pod) === current.metadata.name) currentReplicas += 1;
    if (revisionOf(pod) === update.metadata.name) updated += 1;
  }
  const { conditions } = set.status ?? {};
  const wanted = replicasOf(set);
  const isComplete =
    set.spec?.updateStrategy?.type !== 'OnDelete' &&
    updated === wanted &&
    ready === wanted &&
    replicas === wanted;
  return {
    observedGeneration: set.metadata.generation,
    replicas,
    readyReplicas: count(ready),
    availableReplicas: available,
    currentReplicas: count(isComplete ? updated : currentReplicas),
    updatedReplicas: count(updated),
    currentRevision: isComplete ? update.metadata.name : current.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount,
    ...(conditions === undefined ? {} : { conditions }),
  };
}
