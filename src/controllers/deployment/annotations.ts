import type { Deployment, ReplicaSet } from '#schema/types.ts';

const prefix = 'deployment.kubernetes.io/';
export const revisionAnnotation = `${prefix}revision`;
/** By this old clients ask for a former revision. */
export const rollbackAnnotation = 'deprecated.deployment.rollback.to';
const historyAnnotation = `${prefix}revision-history`;
const desiredAnnotation = `${prefix}desired-replicas`;
const maxAnnotation = `${prefix}max-replicas`;

/** Not copied from a Deployment to its replica sets. */
const ownAnnotations: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  rollbackAnnotation,
]);

/** Belongs to a Deployment or a set alone: never copied between them. */
export function isOwnAnnotation(name: string): boolean {
  return ownAnnotations.has(name);
}

/** As upstream: old revision numbers are forgotten when their list grows beyond this. */
const maxHistoryLength = 2000;

/** The revision that an object says it is; 0 for none. */
export function revisionOf(object: { metadata: Deployment['metadata'] }): number {
  const revision = Number(object.metadata.annotations?.[revisionAnnotation] ?? 0);
  return Number.isSafeInteger(revision) ? revision : 0;
}

/** The size of the Deployment when the set was last scaled by it. */
export function desiredReplicasOf(set: ReplicaSet): number | undefined {
  return numberOf(set, desiredAnnotation);
}

export function maxReplicasOf(set: ReplicaSet): number | undefined {
  return numberOf(set, maxAnnotation);
}

function numberOf(set: ReplicaSet, name: string): number | undefined {
  const text = set.metadata.annotations?.[name];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Annotations of a set, with the size of its Deployment noted. */
export function withSizes(
  annotations: Readonly<Record<string, string>>,
  desired: number,
  max: number,
): Record<string, string> {
  return { ...annotations, [desiredAnnotation]: String(desired), [maxAnnotation]: String(max) };
}

/** Annotations of the newest set: those of the Deployment, the revision, and former revisions. */
export function newSetAnnotations(
  deployment: Deployment,
  annotations: Readonly<Record<string, string>>,
  revision: number,
): Record<string, string> {
  const next: Record<string, string> = { ...annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!ownAnnotations.has(key)) next[key] = value;
  }
  const oldText = next[revisionAnnotation];
  const old = Number(oldText ?? 0);
  if (old >= revision) return next;
  next[revisionAnnotation] = String(revision);
  if (oldText !== undefined)
    next[historyAnnotation] = withRevision(next[historyAnnotation], oldText);
  return next;
}

function withRevision(history: string | undefined, revision: string): string {
  const revisions = (history ?? '').split(',').filter((text) => text !== '');
  revisions.push(revision);
  while (revisions.length > 1 && revisions.join(',').length > maxHistoryLength) revisions.shift();
  return revisions.join(',');
}
