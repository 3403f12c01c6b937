import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { ControllerRevision } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';

/** Oldest first: by number, then age, then name. */
export function byRevision(revisions: readonly ControllerRevision[]): ControllerRevision[] {
  return revisions.toSorted(
    (a, b) =>
      a.revision - b.revision ||
      compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
      compare(a.metadata.name, b.metadata.name),
  );
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** One more than the newest; `revisions` must be sorted. */
export function nextRevisionNumber(revisions: readonly ControllerRevision[]): number {
  return (revisions.at(-1)?.revision ?? 0) + 1;
}

export interface CreatedRevision {
  readonly revision: ControllerRevision;
  readonly collisionCount: number;
}

/**
 * Creates the revision that `make` names by the collision count. A name that the same content holds
 * already is that revision; one that other content holds raises the count, and another is tried.
 */
export async function createOrFindRevision(
  client: Client,
  collisionCount: number,
  make: (collisionCount: number) => ControllerRevision,
): Promise<CreatedRevision> {
  for (let count = collisionCount; ; count++) {
    const wanted = make(count);
    const { name, namespace } = wanted.metadata;
    try {
      const revision = await client.create(resources.controllerRevisions, wanted, { namespace });
      return { revision, collisionCount: count };
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
    }
    const taken = await client.get<ControllerRevision>(resources.controllerRevisions, name, {
      namespace,
    });
    if (isSameJson(taken.data, wanted.data)) return { revision: taken, collisionCount: count };
  }
}

/** Gives an old revision a new number, which makes it the newest. */
export async function withRevisionNumber(
  client: Client,
  revision: ControllerRevision,
  number: number,
): Promise<ControllerRevision> {
  if (revision.revision === number) return revision;
  const { namespace } = revision.metadata;
  const next = { ...revision, revision: number };
  return await client.update(resources.controllerRevisions, next, { namespace });
}

/** A revision that is gone already is fine. */
export async function deleteRevision(client: Client, revision: ControllerRevision): Promise<void> {
  const { name, namespace, uid } = revision.metadata;
  try {
    const options = { namespace, preconditions: { uid } };
    await client.delete(resources.controllerRevisions, name, options);
  } catch (error) {
    if (!hasReason(error, 'NotFound') && !hasReason(error, 'Conflict')) throw error;
  }
}
