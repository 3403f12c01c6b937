import type { UnknownObject } from '#schema/mod.ts';
import { labelKeyErrors } from '#schema/selectors/mod.ts';

const standard: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** What is to be said of finalizers that a write adds: names that others may use as well. */
export function finalizerWarnings(
  object: UnknownObject,
  old: UnknownObject | undefined,
): readonly string[] {
  const given = object.metadata.finalizers;
  if (given === undefined || given.length === 0) return none;
  const before = new Set(old?.metadata.finalizers);
  const added = [...new Set(given)].filter((finalizer) => !before.has(finalizer)).toSorted();
  return added.flatMap(warningsOf);
}

const none: readonly string[] = [];

function warningsOf(finalizer: string): readonly string[] {
  const start = `metadata.finalizers: ${JSON.stringify(finalizer)}: `;
  const errors = labelKeyErrors(finalizer);
  if (errors.length > 0) return errors.map((error) => start + error);
  if (finalizer.includes('/') || standard.has(finalizer)) return none;
  const advice = finalizer.includes('.')
    ? 'prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers'
    : 'prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers';
  return [start + advice];
}
