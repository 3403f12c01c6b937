import { formatTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '#schema/types.ts';
import { isPodAvailable, isPodReady } from '../pods/pod-state.ts';
import { count } from '../status-numbers.ts';

/** The status that a replica set should have; `failure` is what its last change of pods met. */
export function replicaSetStatus(options: {
  set: ReplicaSet;
  active: readonly Pod[];
  /** Undefined where the status has no field for it. */
  terminating: number | undefined;
  /** Pods wanted minus pods there, before this sync. */
  missing: number;
  failure: unknown;
  nowMs: number;
}): ReplicaSetStatus {
  const { set, active, terminating, missing, failure, nowMs } = options;
  const templateLabels = Object.entries(set.spec?.template?.metadata?.labels ?? {});
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  let labeled = 0;
  let ready = 0;
  let available = 0;
  for (const pod of active) {
    if (templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value)) labeled += 1;
    if (!isPodReady(pod)) continue;
    ready += 1;
    if (isPodAvailable(pod, minReadySeconds, nowMs)) available += 1;
  }
  const conditions = failureCondition(set.status?.conditions ?? [], missing, failure, nowMs);
  return {
    replicas: active.length,
    fullyLabeledReplicas: count(labeled),
    readyReplicas: count(ready),
    availableReplicas: count(available),
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation,
    conditions: conditions.length === 0 ? undefined : conditions,
  };
}

/** ReplicaFailure is there while pods cannot be made or deleted. */
function failureCondition(
  conditions: readonly ReplicaSetCondition[],
  missing: number,
  failure: unknown,
  nowMs: number,
): ReplicaSetCondition[] {
  const others = conditions.filter((condition) => condition.type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  const old = conditions.find((condition) => condition.type === 'ReplicaFailure');
  // As upstream: an existing failure stays as it is until it is over.
  if (old !== undefined) return [...others, old];
  const condition = {
    type: 'ReplicaFailure',
    status: 'True',
    reason: missing > 0 ? 'FailedCreate' : 'FailedDelete',
    message: messageOf(failure),
    lastTransitionTime: formatTime(nowMs),
  };
  return [...others, condition];
}
