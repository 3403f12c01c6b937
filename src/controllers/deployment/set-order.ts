import type { ReplicaSet } from '#schema/types.ts';
import { revisionOf } from './annotations.ts';
import { replicasOf } from './rollout-limits.ts';

function compareAge(a: ReplicaSet, b: ReplicaSet): number {
  const [x = '', y = ''] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (x !== y) return x < y ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** Oldest first. */
export function byAge(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.toSorted(compareAge);
}

/** Lowest revision first. */
export function byRevision(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.toSorted((a, b) => revisionOf(a) - revisionOf(b) || compareAge(a, b));
}

/** Largest first; of equal ones the newer when growing, the older when shrinking. */
export function bySize(sets: readonly ReplicaSet[], isNewerFirst: boolean): ReplicaSet[] {
  return sets.toSorted(
    (a, b) => replicasOf(b) - replicasOf(a) || (isNewerFirst ? compareAge(b, a) : compareAge(a, b)),
  );
}

/** Sets that want pods. */
export function activeSets(sets: readonly ReplicaSet[]): ReplicaSet[] {
  return sets.filter((set) => replicasOf(set) > 0);
}
