import { formatTime } from '#base/clock.ts';
import type { Deployment, DeploymentCondition, ReplicaSet } from '#schema/types.ts';

type Conditions = readonly DeploymentCondition[];

/** Reasons and texts that kubectl and people read, as upstream writes them. */
export const reasons = {
  available: 'MinimumReplicasAvailable',
  unavailable: 'MinimumReplicasUnavailable',
  setCreated: 'NewReplicaSetCreated',
  setFound: 'FoundNewReplicaSet',
  setUpdated: 'ReplicaSetUpdated',
  setAvailable: 'NewReplicaSetAvailable',
  setFailed: 'ReplicaSetCreateError',
  timedOut: 'ProgressDeadlineExceeded',
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
} as const;

export function conditionOf(
  conditions: Conditions | undefined,
  type: string,
): DeploymentCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function newCondition(
  type: string,
  status: string,
  reason: string,
  message: string,
  nowMs: number,
): DeploymentCondition {
  const now = formatTime(nowMs);
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now };
}

/** Unchanged when status and reason are; keeps the transition time while the status stays. */
export function withCondition(conditions: Conditions, next: DeploymentCondition): Conditions {
  const old = conditionOf(conditions, next.type);
  if (old?.status === next.status && old.reason === next.reason) return conditions;
  const lastTransitionTime =
    old?.status === next.status ? old.lastTransitionTime : next.lastTransitionTime;
  return [...withoutCondition(conditions, next.type), { ...next, lastTransitionTime }];
}

export function withoutCondition(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type !== type);
}

export function availableCondition(isAvailable: boolean, nowMs: number): DeploymentCondition {
  return isAvailable
    ? newCondition(
        'Available',
        'True',
        reasons.available,
        'Deployment has minimum availability.',
        nowMs,
      )
    : newCondition(
        'Available',
        'False',
        reasons.unavailable,
        'Deployment does not have minimum availability.',
        nowMs,
      );
}

/** What ReplicaFailure of a Deployment says is what its sets say, the newest first. */
export function replicaFailure(
  newSet: ReplicaSet | undefined,
  all: readonly ReplicaSet[],
): DeploymentCondition | undefined {
  for (const set of newSet === undefined ? all : [newSet, ...all]) {
    const failure = set.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    if (failure === undefined) continue;
    const { status, reason, message, lastTransitionTime } = failure;
    const type = 'ReplicaFailure';
    return {
      type,
      status,
      reason,
      message,
      lastTransitionTime,
      lastUpdateTime: lastTransitionTime,
    };
  }
  return undefined;
}

/** How the rollout is named in texts: by its newest set, or the Deployment without one. */
export function rolloutName(deployment: Deployment, newSet: ReplicaSet | undefined): string {
  return newSet === undefined
    ? `Deployment "${deployment.metadata.name}"`
    : `ReplicaSet "${newSet.metadata.name}"`;
}
