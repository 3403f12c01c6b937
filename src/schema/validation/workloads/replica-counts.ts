import { checkNotNegative } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { statusPath } from '../field-path.ts';

type Counts = Readonly<Record<string, unknown>>;

function countOf(status: Counts, field: string): number {
  const value = status[field];
  return typeof value === 'number' ? value : 0;
}

/** Counters of a status are not below 0. */
export function checkCounts(errors: ErrorList, status: object, fields: readonly string[]): void {
  for (const field of fields) {
    checkNotNegative(errors, statusPath, field, countOf(status as Counts, field));
  }
}

/** Parts of the replicas are no more than all of them. */
export function checkParts(
  errors: ErrorList,
  status: object,
  parts: readonly string[],
  readyText = 'cannot be greater than readyReplicas',
): void {
  const counts = status as Counts;
  const replicas = countOf(counts, 'replicas');
  for (const field of parts) {
    const count = countOf(counts, field);
    if (count <= replicas) continue;
    errors.invalid(statusPath, field, count, 'cannot be greater than status.replicas');
  }
  const available = countOf(counts, 'availableReplicas');
  if (available > countOf(counts, 'readyReplicas')) {
    errors.invalid(statusPath, 'availableReplicas', available, readyText);
  }
}

/** Collisions are only ever counted up. */
export function checkCollisions(
  errors: ErrorList,
  status: { readonly collisionCount?: number | undefined } | undefined,
  old: { readonly collisionCount?: number | undefined } | undefined,
): void {
  if (old?.collisionCount === undefined) return;
  const count = status?.collisionCount ?? 0;
  if (count >= old.collisionCount) return;
  errors.invalid(statusPath, 'collisionCount', count, 'cannot be decremented');
}
