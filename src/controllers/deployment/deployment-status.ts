import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '#schema/types.ts';
import { count } from '../status-numbers.ts';
import {
  availableCondition,
  conditionOf,
  newCondition,
  reasons,
  replicaFailure,
  rolloutName,
  withCondition,
  withoutCondition,
} from './conditions.ts';
import {
  maxUnavailable,
  progressDeadlineMs,
  totalAvailable,
  totalReplicas,
  wantedReplicas,
} from './rollout-limits.ts';

/** Numbers and the Available condition; the other conditions stay as they are. */
export function deploymentStatus(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
  nowMs: number,
): DeploymentStatus {
  const sum = (read: (set: ReplicaSet) => number | undefined): number =>
    all.reduce((total, set) => total + (read(set) ?? 0), 0);
  const available = totalAvailable(all);
  const isTerminatingKnown = all.every((set) => set.status?.terminatingReplicas !== undefined);
  const wanted = wantedReplicas(deployment);
  const isAvailable = available >= wanted - maxUnavailable(deployment);
  const conditions = withCondition(
    deployment.status?.conditions ?? [],
    availableCondition(isAvailable, nowMs),
  );
  return {
    observedGeneration: deployment.metadata.generation,
    replicas: count(sum((set) => set.status?.replicas)),
    updatedReplicas: count(newSet?.status?.replicas ?? 0),
    readyReplicas: count(sum((set) => set.status?.readyReplicas)),
    availableReplicas: count(available),
    unavailableReplicas: count(Math.max(totalReplicas(all) - available, 0)),
    terminatingReplicas: isTerminatingKnown
      ? sum((set) => set.status?.terminatingReplicas)
      : undefined,
    collisionCount: deployment.status?.collisionCount,
    conditions: [...conditions],
  };
}

/** The rollout is over and everything is available: what `kubectl rollout status` waits for. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = wantedReplicas(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** The status with Progressing and ReplicaFailure as the rollout stands. */
export function rolloutStatus(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
  nowMs: number,
): DeploymentStatus {
  const status = deploymentStatus(deployment, newSet, all, nowMs);
  let conditions: readonly DeploymentCondition[] = status.conditions ?? [];
  const current = conditionOf(deployment.status?.conditions, 'Progressing');
  const isOver =
    status.replicas === status.updatedReplicas && current?.reason === reasons.setAvailable;
  if (progressDeadlineMs(deployment) === undefined) {
    conditions = withoutCondition(conditions, 'Progressing');
  } else if (!isOver) {
    conditions = progressed(deployment, newSet, { ...status, conditions: [...conditions] }, nowMs);
  }
  const failure = replicaFailure(newSet, all);
  conditions =
    failure === undefined
      ? withoutCondition(conditions, 'ReplicaFailure')
      : withCondition(conditions, failure);
  return { ...status, conditions: [...conditions] };
}

function progressed(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  status: DeploymentStatus,
  nowMs: number,
): readonly DeploymentCondition[] {
  const conditions = status.conditions ?? [];
  const name = rolloutName(deployment, newSet);
  const make = (state: string, reason: string, text: string): DeploymentCondition =>
    newCondition('Progressing', state, reason, `${name} ${text}`, nowMs);
  if (isComplete(deployment, status)) {
    const text = 'has successfully progressed.';
    return withCondition(conditions, make('True', reasons.setAvailable, text));
  }
  const current = conditionOf(deployment.status?.conditions, 'Progressing');
  if (hasMoved(deployment.status ?? {}, status)) {
    const next = make('True', reasons.setUpdated, 'is progressing.');
    // Replaced even if it says the same: its update time is what the deadline counts from.
    const lastTransitionTime =
      current?.status === 'True' ? current.lastTransitionTime : next.lastTransitionTime;
    return [...withoutCondition(conditions, 'Progressing'), { ...next, lastTransitionTime }];
  }
  if (isTimedOut(deployment, nowMs)) {
    return withCondition(conditions, make('False', reasons.timedOut, 'has timed out progressing.'));
  }
  return conditions;
}

/** More new pods, fewer old ones, or more ready or available ones than before. */
function hasMoved(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const oldPods = (status: DeploymentStatus): number =>
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(after) < oldPods(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isTimedOut(deployment: Deployment, nowMs: number): boolean {
  const current = conditionOf(deployment.status?.conditions, 'Progressing');
  if (current === undefined || current.reason === reasons.setAvailable) return false;
  if (current.reason === reasons.timedOut) return true;
  return (deadlineMs(deployment) ?? Number.POSITIVE_INFINITY) < nowMs;
}

function deadlineMs(deployment: Deployment): number | undefined {
  const limitMs = progressDeadlineMs(deployment);
  const since = conditionOf(deployment.status?.conditions, 'Progressing')?.lastUpdateTime;
  return limitMs === undefined || since === undefined ? undefined : Date.parse(since) + limitMs;
}

/** When to look again whether a rollout that stands still has missed its deadline. */
export function progressCheckAfterMs(
  deployment: Deployment,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const current = conditionOf(status.conditions, 'Progressing');
  if (current === undefined || current.reason === reasons.timedOut) return undefined;
  if (isComplete(deployment, status)) return undefined;
  const dueMs = deadlineMs({ ...deployment, status });
  // One more second: times in conditions are cut to seconds.
  return dueMs === undefined ? undefined : Math.max(dueMs - nowMs, 0) + 1000;
}
