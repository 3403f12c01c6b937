import type { Deployment, ReplicaSet } from '#schema/types.ts';
import {
  isRollingUpdate,
  maxSurge,
  maxUnavailable,
  replicasOf,
  totalAvailable,
  totalReplicas,
  wantedReplicas,
} from './rollout-limits.ts';
import { byAge } from './set-order.ts';

/** New sizes of sets, by name; sets that keep their size are not in it. */
export type Sizes = ReadonlyMap<string, number>;

/** The size that the newest set may have now, given all sets. */
export function newSetSize(
  deployment: Deployment,
  all: readonly ReplicaSet[],
  newSet: Pick<ReplicaSet, 'spec'>,
): number {
  const wanted = wantedReplicas(deployment);
  if (!isRollingUpdate(deployment)) return wanted;
  const own = newSet.spec?.replicas ?? 0;
  const room = wanted + maxSurge(deployment) - totalReplicas(all);
  return room <= 0 ? own : own + Math.min(room, wanted - own);
}

/**
 * Sizes of the old sets in the next step of a rolling update: first pods that are not available
 * anyway, then as many as the newest set's available pods make superfluous; oldest sets first.
 */
export function oldSetSizes(
  deployment: Deployment,
  newSet: ReplicaSet,
  old: readonly ReplicaSet[],
): Sizes {
  const sizes = new Map<string, number>();
  const sizeOf = (set: ReplicaSet): number => sizes.get(set.metadata.name) ?? replicasOf(set);
  const minAvailable = wantedReplicas(deployment) - maxUnavailable(deployment);
  const newUnavailable = replicasOf(newSet) - (newSet.status?.availableReplicas ?? 0);
  const maxDown = totalReplicas([...old, newSet]) - minAvailable - newUnavailable;
  if (maxDown <= 0) return sizes;

  let down = 0;
  for (const set of byAge(old)) {
    const unhealthy = replicasOf(set) - (set.status?.availableReplicas ?? 0);
    const step = Math.min(maxDown - down, Math.max(unhealthy, 0));
    if (step <= 0) continue;
    sizes.set(set.metadata.name, replicasOf(set) - step);
    down += step;
  }
  let superfluous = totalAvailable([...old, newSet]) - minAvailable;
  for (const set of byAge(old)) {
    const step = Math.min(superfluous, sizeOf(set));
    if (step <= 0) continue;
    sizes.set(set.metadata.name, sizeOf(set) - step);
    superfluous -= step;
  }
  return sizes;
}
