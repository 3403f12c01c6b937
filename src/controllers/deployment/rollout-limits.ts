import type { Deployment, ReplicaSet } from '#schema/types.ts';
import { scaledValue } from '../int-or-percent.ts';

/** progressDeadlineSeconds and revisionHistoryLimit of this size mean none. */
const noLimit = 2 ** 31 - 1;

export function wantedReplicas(deployment: Deployment): number {
  return deployment.spec?.replicas ?? 1;
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec?.strategy?.type !== 'Recreate';
}

/** How many pods may be there in addition, and how many may be missing, during a rolling update. */
function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const total = wantedReplicas(deployment);
  const { maxSurge = '25%', maxUnavailable = '25%' } =
    deployment.spec?.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, total, true);
  const unavailable = scaledValue(maxUnavailable, total, false);
  // With both zero nothing could ever move.
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable };
}

export function maxSurge(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0;
}

export function maxUnavailable(deployment: Deployment): number {
  const total = wantedReplicas(deployment);
  if (!isRollingUpdate(deployment) || total === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, total);
}

export function progressDeadlineMs(deployment: Deployment): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds === undefined || seconds === noLimit ? undefined : seconds * 1000;
}

export function historyLimit(deployment: Deployment): number {
  const limit = deployment.spec?.revisionHistoryLimit;
  return limit === undefined || limit === noLimit ? Number.POSITIVE_INFINITY : limit;
}

export function replicasOf(set: ReplicaSet): number {
  return set.spec?.replicas ?? 1;
}

export function totalReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0);
}

export function totalAvailable(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}
