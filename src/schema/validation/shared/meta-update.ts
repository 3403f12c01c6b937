import type { ObjectMeta } from '../../generated/types.ts';
import { checkImmutable } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';

const immutableFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/**
 * What an update must leave as it is. That a resourceVersion is there, and the right one, is the
 * write handler's: it knows which kinds do without.
 */
export function checkMetaUpdate(
  errors: ErrorList,
  path: FieldPath,
  meta: Unchecked<ObjectMeta>,
  old: Unchecked<ObjectMeta>,
): void {
  if (old.deletionTimestamp !== undefined) checkNoNewFinalizers(errors, path, meta, old);
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.invalid(path, 'generation', meta.generation ?? 0, 'must not be decremented');
  }
  for (const field of immutableFields) {
    checkImmutable(errors, path, field, meta[field], old[field]);
  }
}

function checkNoNewFinalizers(
  errors: ErrorList,
  path: FieldPath,
  meta: Unchecked<ObjectMeta>,
  old: Unchecked<ObjectMeta>,
): void {
  const known = new Set(old.finalizers);
  const added = [...new Set(meta.finalizers)].filter((name) => !known.has(name)).toSorted();
  if (added.length === 0) return;
  const list = added.map((name) => JSON.stringify(name)).join(', ');
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
  errors.forbidden(path, 'finalizers', detail);
}
