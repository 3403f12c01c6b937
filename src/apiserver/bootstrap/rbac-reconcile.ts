import type { ObjectMeta, RbacV1Subject } from '#schema/types.ts';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '#schema/types.ts';

import { uncoveredRules } from '../authz/rbac/coverage.ts';
import { autoupdateAnnotation } from './rbac-defaults.ts';

/** What to do with a stored object: leave it, write another state, or make it anew. */
export type Change<T> = { action: 'keep' } | { action: 'update' | 'recreate'; object: T };

const keep = { action: 'keep' } as const;

/** Adds missing rules, labels and annotations, and keeps everything that an admin added. */
export function reconcileRole<T extends Role | ClusterRole>(stored: T, wanted: T): Change<T> {
  if (isProtected(stored.metadata)) return keep;
  const metadata = withMissing(stored.metadata, wanted.metadata);
  const aggregation = 'aggregationRule' in wanted ? wanted.aggregationRule : undefined;
  let object: T = metadata === undefined ? stored : { ...stored, metadata };
  if (aggregation !== undefined) {
    const own = 'aggregationRule' in stored ? stored.aggregationRule : undefined;
    // The rules of an aggregated role belong to the aggregation controller.
    if (JSON.stringify(own) !== JSON.stringify(aggregation)) {
      object = { ...object, aggregationRule: aggregation };
    }
  } else {
    const held = stored.rules ?? [];
    const missing = (wanted.rules ?? []).filter((rule) => uncoveredRules(held, [rule]).length > 0);
    if (missing.length > 0) object = { ...object, rules: [...held, ...missing] };
  }
  return object === stored ? keep : { action: 'update', object };
}

/** Adds missing subjects; a binding to another role cannot be changed and is made anew. */
export function reconcileBinding<T extends RoleBinding | ClusterRoleBinding>(
  stored: T,
  wanted: T,
): Change<T> {
  if (isProtected(stored.metadata)) return keep;
  const { kind, name } = stored.roleRef;
  if (kind !== wanted.roleRef.kind || name !== wanted.roleRef.name) {
    return { action: 'recreate', object: wanted };
  }
  const metadata = withMissing(stored.metadata, wanted.metadata);
  const known = new Set((stored.subjects ?? []).map(subjectKey));
  const missing = (wanted.subjects ?? []).filter((subject) => !known.has(subjectKey(subject)));
  if (metadata === undefined && missing.length === 0) return keep;
  const object = {
    ...stored,
    metadata: metadata ?? stored.metadata,
    subjects: [...(stored.subjects ?? []), ...missing],
  };
  return { action: 'update', object };
}

function isProtected(metadata: ObjectMeta): boolean {
  const value = metadata.annotations?.[autoupdateAnnotation];
  return value !== undefined && value !== 'true';
}

function subjectKey(subject: RbacV1Subject): string {
  return `${subject.kind}/${subject.namespace ?? ''}/${subject.name}`;
}

/** The metadata with labels and annotations that were missing; undefined when none was. */
function withMissing(stored: ObjectMeta, wanted: ObjectMeta): ObjectMeta | undefined {
  const hasAll = (
    own: Record<string, string> | undefined,
    all: Record<string, string> | undefined,
  ): boolean => Object.entries(all ?? {}).every(([key, value]) => own?.[key] === value);
  if (hasAll(stored.labels, wanted.labels) && hasAll(stored.annotations, wanted.annotations)) {
    return undefined;
  }
  return {
    ...stored,
    labels: { ...stored.labels, ...wanted.labels },
    annotations: { ...stored.annotations, ...wanted.annotations },
  };
}
