import type { UnknownObject } from '../object.ts';
import type { TypeLookup } from '../patch/type-lookup.ts';
import type { Change } from './changes.ts';
import { changesBetween } from './changes.ts';
import type { FieldSet } from './fields-v1.ts';
import { union } from './fields-v1.ts';
import type { Owner } from './owners.ts';
import { prune } from './prune.ts';
import type { StructShape } from './shape.ts';
import { shapesOf } from './shape.ts';
import { appliedPaths } from './value-paths.ts';

/** The versions of a kind that name their fields differently. */
export interface OtherVersions {
  /** The types of a version; undefined for one that is no longer there: its owners are forgotten. */
  types(apiVersion: string): TypeLookup | undefined;
  /** An object, without managed fields, in another version that is there; its argument stays. */
  convert(object: UnknownObject, apiVersion: string): Promise<UnknownObject>;
}

/** An object that has to be seen in another version to go on. */
export interface Conversion {
  readonly object: UnknownObject;
  readonly apiVersion: string;
}

/** What a step needs of other versions; undefined where all name their fields alike. */
export interface VersionScope {
  readonly apiVersion: string;
  readonly typeName: string;
  readonly versions: OtherVersions | undefined;
}

/** Work that stops for conversions, and goes on with what they made. */
export type Converting<T> = Generator<Conversion, T, UnknownObject>;

/** Finishes work that cannot need a conversion, as it knows no other versions. */
export function finishAtOnce<T>(work: Converting<T>): T {
  const step = work.next();
  if (step.done === true) return step.value;
  throw new Error(`no way to convert to ${step.value.apiVersion}`);
}

/** Finishes work, converting as it asks. */
export async function finishConverting<T>(
  work: Converting<T>,
  versions: OtherVersions,
): Promise<T> {
  let step = work.next();
  while (step.done !== true) {
    const { object, apiVersion } = step.value;
    step = work.next(await versions.convert(object, apiVersion));
  }
  return step.value;
}

/** Whether an owner's fields are those of another version and have to be compared there. */
export function isForeign({ apiVersion }: Owner, scope: VersionScope): boolean {
  return scope.versions !== undefined && apiVersion !== scope.apiVersion;
}

export function foreignShape(apiVersion: string, scope: VersionScope): StructShape | undefined {
  const types = scope.versions?.types(apiVersion);
  return types === undefined ? undefined : shapesOf(types).root(scope.typeName);
}

/** An owner with what a write changed in the version of its fields. */
export interface SeenOwner {
  readonly owner: Owner;
  readonly change: Change;
}

const noChange: Change = { changed: undefined, removed: undefined };

/**
 * What a write changed for each owner: `change` for those of the version written, and for others
 * what differs when both objects are converted to theirs. Owners of versions that are gone are
 * left out.
 */
export function* seenByOwners(
  owners: readonly Owner[],
  change: Change | undefined,
  between: { old: UnknownObject; object: UnknownObject; ignored: FieldSet },
  scope: VersionScope,
): Converting<SeenOwner[]> {
  const changes = new Map<string, Change | undefined>();
  const seen: SeenOwner[] = [];
  for (const owner of owners) {
    const { apiVersion } = owner;
    if (!isForeign(owner, scope)) {
      seen.push({ owner, change: change ?? noChange });
      continue;
    }
    if (!changes.has(apiVersion)) {
      const shape = foreignShape(apiVersion, scope);
      changes.set(
        apiVersion,
        shape === undefined ? undefined : yield* changeIn(apiVersion, shape, between),
      );
    }
    const there = changes.get(apiVersion);
    if (there !== undefined) seen.push({ owner, change: there });
  }
  return seen;
}

function* changeIn(
  apiVersion: string,
  shape: StructShape,
  { old, object, ignored }: { old: UnknownObject; object: UnknownObject; ignored: FieldSet },
): Converting<Change> {
  const before = yield { object: old, apiVersion };
  const after = yield { object, apiVersion };
  return changesBetween(before, after, shape, ignored) ?? noChange;
}

/**
 * `prune` for a manager that applied another version the last time: what it no longer owns is found
 * and removed there, and what anybody owns in another version is kept.
 */
export function* pruneAcross(
  merged: UnknownObject,
  last: Owner,
  owners: readonly Owner[],
  shape: StructShape,
  scope: VersionScope,
): Converting<UnknownObject> {
  const lastShape = foreignShape(last.apiVersion, scope);
  if (lastShape === undefined) return merged;
  const ownedIn = (apiVersion: string): FieldSet =>
    owners
      .filter((owner) => owner.apiVersion === apiVersion)
      .reduce((all: FieldSet, { fields }) => union(all, fields), {});
  const there = yield { object: merged, apiVersion: last.apiVersion };
  let pruned = prune(
    there,
    last.fields,
    ownedIn(last.apiVersion),
    lastShape,
    true,
  ) as UnknownObject;
  if (pruned === there) return merged;
  const others = new Set(owners.map(({ apiVersion }) => apiVersion));
  others.delete(last.apiVersion);
  others.delete(scope.apiVersion);
  for (const apiVersion of [...others, scope.apiVersion]) {
    const isOwn = apiVersion === scope.apiVersion;
    const itsShape = isOwn ? shape : foreignShape(apiVersion, scope);
    if (itsShape === undefined) continue;
    const whole = isOwn ? merged : yield { object: merged, apiVersion };
    const rest = yield { object: pruned, apiVersion };
    const kept = union(appliedPaths(rest, itsShape), ownedIn(apiVersion));
    pruned = prune(whole, appliedPaths(whole, itsShape), kept, itsShape, true) as UnknownObject;
  }
  return pruned;
}
