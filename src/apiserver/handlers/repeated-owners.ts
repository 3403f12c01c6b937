import type { UnknownObject } from '#schema/mod.ts';
import type { ResourceRequestContext } from '../request.ts';

/**
 * Drops owner references that are there twice, and warns of it: `after` admission in other words
 * than before it. References to one owner that differ stay, for validation to judge.
 */
export function dropRepeatedOwners(
  context: ResourceRequestContext,
  object: UnknownObject,
  when: 'before' | 'after',
): void {
  const { ownerReferences } = object.metadata;
  if (!Array.isArray(ownerReferences) || ownerReferences.length < 2) return;
  const seen = new Set<string>();
  const repeated = new Set<string>();
  const kept = ownerReferences.filter((reference) => {
    const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = reference;
    const key = JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
    if (seen.has(key)) repeated.add(uid);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
  if (repeated.size === 0) return;
  object.metadata = { ...object.metadata, ownerReferences: kept };
  const late = when === 'after' ? ' after mutating admission happens' : '';
  context.warnings.add(
    `.metadata.ownerReferences contains duplicate entries${late}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...repeated].join(', ')}`,
  );
}
