import type { Deployment, ReplicaSet } from '#schema/types.ts';
import { desiredReplicasOf, maxReplicasOf } from './annotations.ts';
import type { Sizes } from './rolling-plan.ts';
import {
  isRollingUpdate,
  maxSurge,
  replicasOf,
  totalReplicas,
  wantedReplicas,
} from './rollout-limits.ts';
import { activeSets, byAge, bySize } from './set-order.ts';

/** Whether the Deployment's size changed since its sets were last scaled. */
export function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return activeSets(sets).some((set) => {
    const desired = desiredReplicasOf(set);
    return desired !== undefined && desired !== wantedReplicas(deployment);
  });
}

/**
 * Sizes after the Deployment was scaled, without moving a rollout on: one active set takes it all,
 * a finished rollout empties the old sets, and in the middle of one each set gets its share. Every
 * set in the result is written, so that its note of the Deployment's size is true.
 */
export function scaledSizes(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Sizes {
  const wanted = wantedReplicas(deployment);
  const only = activeOrLatest(newSet, old);
  if (only !== undefined) return new Map([[only.metadata.name, wanted]]);
  if (newSet !== undefined && isSaturated(deployment, newSet)) {
    return new Map(activeSets(old).map((set) => [set.metadata.name, 0]));
  }
  if (!isRollingUpdate(deployment)) return new Map();
  return proportionalSizes(deployment, newSet === undefined ? old : [...old, newSet]);
}

function activeOrLatest(
  newSet: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const active = activeSets(newSet === undefined ? old : [...old, newSet]);
  if (active.length > 1) return undefined;
  return active[0] ?? newSet ?? byAge(old).at(-1);
}

function isSaturated(deployment: Deployment, newSet: ReplicaSet): boolean {
  const wanted = wantedReplicas(deployment);
  return (
    desiredReplicasOf(newSet) === wanted &&
    replicasOf(newSet) === wanted &&
    (newSet.status?.availableReplicas ?? 0) === wanted
  );
}

function proportionalSizes(deployment: Deployment, sets: readonly ReplicaSet[]): Sizes {
  const active = activeSets(sets);
  const wanted = wantedReplicas(deployment);
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0;
  const toAdd = allowed - totalReplicas(active);
  const sizes = new Map<string, number>();
  const ordered = bySize(active, toAdd > 0);
  let added = 0;
  for (const set of ordered) {
    const share = shareOf(deployment, set, toAdd, added);
    sizes.set(set.metadata.name, replicasOf(set) + share);
    added += share;
  }
  // What rounding left over goes to the largest.
  const [largest] = ordered;
  if (largest !== undefined && toAdd !== 0) {
    const size = sizes.get(largest.metadata.name) ?? 0;
    sizes.set(largest.metadata.name, Math.max(size + toAdd - added, 0));
  }
  return sizes;
}

/** What a set gets of `toAdd` (below zero: loses), never more than is left of it. */
function shareOf(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (replicasOf(set) === 0 || toAdd === 0 || toAdd === added) return 0;
  const fraction = fractionOf(deployment, set);
  return toAdd > 0 ? Math.min(fraction, toAdd - added) : Math.max(fraction, toAdd - added);
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const wanted = wantedReplicas(deployment);
  if (wanted === 0) return -replicasOf(set);
  const before = maxReplicasOf(set) ?? deployment.status?.replicas ?? 0;
  if (before === 0) return 0;
  const size = (replicasOf(set) * (wanted + maxSurge(deployment))) / before;
  return Math.round(size) - replicasOf(set);
}
