import { formatTime } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { UnknownObject } from '../object.ts';
import { groupVersion } from '../object.ts';
import { jsonEqual } from '../patch/json-equal.ts';
import { badRequest, plainFailure, setField } from '../patch/patch-errors.ts';
import type { TypeLookup } from '../patch/type-lookup.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import { changesBetween } from './changes.ts';
import { checkTyped } from './check-typed.ts';
import { conflictError, findConflicts, withoutAllowed } from './conflicts.ts';
import type { FieldSet } from './fields-v1.ts';
import { difference, isEmptySet, leaf, union } from './fields-v1.ts';
import { effectiveChange, effectiveFields, ignoredFields } from './ignored-fields.ts';
import { fieldsLastApplied, syncLastApplied } from './last-applied.ts';
import { mergeApplied } from './merge-applied.ts';
import type { Owner } from './owners.ts';
import { isSameOwner, readOwners, withoutChanges, writeOwners } from './owners.ts';
import { prune } from './prune.ts';
import type { StructShape } from './shape.ts';
import { shapesOf } from './shape.ts';
import { reconciledOwners } from './topology.ts';
import { withManagedFields } from './track-update.ts';
import { appliedPaths } from './value-paths.ts';
import type { Converting, OtherVersions, SeenOwner, VersionScope } from './versions.ts';
import {
  finishAtOnce,
  finishConverting,
  isForeign,
  pruneAcross,
  seenByOwners,
} from './versions.ts';

export interface ApplyOptions {
  /** The stored object; undefined when the apply creates it. */
  live: UnknownObject | undefined;
  /** The body of the request, decoded. */
  applied: UnknownObject;
  manager: string;
  /** Take fields from their owners instead of failing. */
  force: boolean;
  info: ResourceInfo;
  /** Empty for the object itself. */
  subresource: string;
  nowMs: number;
  /** Where the type of a custom resource is known; the built-in types otherwise. */
  types?: TypeLookup;
  /** Brings the applied object into canonical form, once it is known to fit its type. */
  conform?: (applied: UnknownObject) => UnknownObject;
}

const beforeFirstApply = 'before-first-apply';
/** The manager whose client-side applies may be taken over. */
const kubectl = 'kubectl';

/**
 * Lays the applied object over the live one, removes what its manager applied before and nobody
 * owns any more, and records who owns what. The result shares parts with both, which are not
 * changed: copy before changing it in place. It is `live` itself when nothing changed at all.
 * Throws Conflict (409) for fields of others unless forced, BadRequest for another kind or for
 * managedFields in the body, and code 500 for what does not fit the type, as upstream.
 */
export function serverSideApply(options: ApplyOptions): UnknownObject {
  return finishAtOnce(applying(options, undefined));
}

/** The same for a kind whose versions name their fields differently. */
export async function serverSideApplyAcross(
  options: ApplyOptions,
  versions: OtherVersions,
): Promise<UnknownObject> {
  return await finishConverting(applying(options, versions), versions);
}

function* applying(
  options: ApplyOptions,
  versions: OtherVersions | undefined,
): Converting<UnknownObject> {
  const { info, types = typeTable } = options;
  checkApplied(options.applied, info);
  const shape = shapesOf(types).root(info.typeName);
  checkPatch(options.applied, shape, info);
  const { conform } = options;
  const conformed = conform?.(options.applied) ?? options.applied;
  const applied = withNulls(conformed, options.applied);
  try {
    const object = yield* applyTyped({ ...options, applied }, shape, versions);
    if (applied === conformed || conform === undefined) return object;
    const formed = conform(object);
    // built-in kinds have no nulls; those of custom ones are left to their defaults and validation
    return types === typeTable ? formed : { ...object, metadata: formed.metadata };
  } catch (error) {
    if (!hasCode(error, 'MissingListKey')) throw error;
    throw plainFailure(
      `failed to create typed live object (${subjectOf(options.live ?? applied, info)}): ${liveProblem(options.live, shape) ?? messageOf(error)}`,
    );
  }
}

/** The value in canonical form with the nulls that this has dropped; the same value without any. */
function withNulls<T>(conformed: T, given: T): T {
  if (conformed === given || !isObject(conformed) || !isObject(given)) return conformed;
  let result: Record<string, unknown> | undefined;
  for (const key in given) {
    const before = conformed[key];
    const after = given[key] === null ? (before ?? null) : withNulls(before, given[key]);
    if (after === before) continue;
    result ??= (Array.isArray(conformed) ? [...conformed] : { ...conformed }) as typeof conformed;
    setField(result, key, after);
  }
  return (result ?? conformed) as T;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** What is wrong with a live object whose lists cannot be told apart. */
function liveProblem(live: UnknownObject | undefined, shape: StructShape): string | undefined {
  try {
    checkTyped(live, shape);
  } catch (error) {
    if (hasCode(error, 'InvalidTyped')) return messageOf(error);
    throw error;
  }
  return undefined;
}

/** Namespace, name and kind as upstream's errors of typed objects name them. */
function subjectOf({ metadata }: UnknownObject, info: ResourceInfo): string {
  const { namespace = '', name = '' } = metadata as Partial<UnknownObject['metadata']>;
  return `${namespace}/${name}; ${info.group}/${info.version}, Kind=${info.kind}`;
}

function* applyTyped(
  options: ApplyOptions,
  shape: StructShape,
  versions: OtherVersions | undefined,
): Converting<UnknownObject> {
  const { applied, info, nowMs } = options;
  const live = options.live ?? emptyObject;
  const ignored = ignoredFields(info, options.subresource);
  const now = formatTime(nowMs);
  const isCustom = (options.types ?? typeTable) !== typeTable;
  const scope: VersionScope = {
    apiVersion: groupVersion(info),
    typeName: info.typeName,
    versions,
  };
  const known = ownersBefore(options, shape, ignored, now);
  const owners = isCustom ? reconciledOwners(known, shape, scope) : known;
  const claim: Owner = {
    manager: options.manager,
    operation: 'Apply',
    apiVersion: scope.apiVersion,
    subresource: options.subresource,
    time: now,
    fields: effectiveFields(
      difference(ownPaths(applied, shape), ignored, true),
      info,
      options.subresource,
    ),
  };
  const others = owners.filter((owner) => !isSameOwner(owner, claim));
  const last = owners.find((owner) => isSameOwner(owner, claim));
  const old = withManagedFields(live, undefined);
  const merged = mergeApplied(old, applied, shape) as UnknownObject;
  const before = { last, others, hasNulls: isCustom };
  const object = yield* pruneMerged(merged, claim, before, shape, scope);
  const change = effectiveChange(
    changesBetween(old, object, shape, ignored),
    info,
    options.subresource,
  );
  const seen = yield* seenByOwners(others, change, { old, object, ignored }, scope);
  if (!options.force) refuseConflicts(options, seen, shape);
  const rest = seen.map((one) => withoutChanges(one.owner, one.change));
  const isSame = jsonEqual(old, object);
  const owned =
    isSame && options.live !== undefined
      ? keepLive(options.live, rest, { ...claim, time: last?.time }, last)
      : withManagedFields(object, writeOwners([...rest, claim]));
  return options.manager === kubectl ? syncLastApplied(owned, applied) : owned;
}

/** Nobody owns the metadata as such, even when it is all that is applied. */
function ownPaths(applied: UnknownObject, shape: StructShape): FieldSet {
  const paths = appliedPaths(applied, shape);
  const { 'f:metadata': metadata, ...others } = paths;
  return metadata !== undefined && isEmptySet(metadata) ? others : paths;
}

const emptyObject = Object.freeze({ metadata: Object.freeze({}) }) as UnknownObject;

function checkApplied(applied: UnknownObject, info: ResourceInfo): void {
  const version = groupVersion(info);
  if (applied.kind !== info.kind) {
    const { apiVersion = '', kind = '' } = applied as Partial<UnknownObject>;
    const given = apiVersion === '' || !apiVersion.includes('/') ? `/${apiVersion}` : apiVersion;
    throw badRequest(`invalid object type: ${given}, Kind=${kind}`);
  }
  if (applied.apiVersion !== version) {
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${String(applied.apiVersion)}, expected: ${version}`,
    );
  }
  if ((applied.metadata.managedFields ?? null) !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
}

function checkPatch(applied: UnknownObject, shape: StructShape, info: ResourceInfo): void {
  try {
    checkTyped(applied, shape);
  } catch (error) {
    if (!hasCode(error, 'InvalidTyped')) throw error;
    const subject = subjectOf(applied, info);
    throw plainFailure(`failed to create typed patch object (${subject}): ${messageOf(error)}`);
  }
}

/** Everything that an object has when it is first applied to belongs to nobody in particular. */
function ownersBefore(
  { live, info, subresource }: ApplyOptions,
  shape: StructShape,
  ignored: FieldSet,
  now: string,
): readonly Owner[] {
  const owners = readOwners(live?.metadata.managedFields) ?? [];
  if (owners.length > 0 || live === undefined) return owners;
  const fields = changesBetween({}, live, shape, ignored)?.changed ?? leaf;
  return [
    {
      manager: beforeFirstApply,
      operation: 'Update',
      apiVersion: groupVersion(info),
      subresource,
      time: now,
      fields,
    },
  ];
}

function* pruneMerged(
  merged: UnknownObject,
  claim: Owner,
  before: { last: Owner | undefined; others: readonly Owner[]; hasNulls: boolean },
  shape: StructShape,
  scope: VersionScope,
): Converting<UnknownObject> {
  const { last, others, hasNulls } = before;
  if (last === undefined) return merged;
  if (isForeign(last, scope)) {
    return yield* pruneAcross(merged, last, [...others, claim], shape, scope);
  }
  const owned = others.map(({ fields }) => fields).reduce(union, claim.fields);
  return prune(merged, last.fields, owned, shape, hasNulls) as UnknownObject;
}

function refuseConflicts(
  { live, manager }: ApplyOptions,
  seen: readonly SeenOwner[],
  shape: StructShape,
): void {
  let conflicts = findConflicts(seen);
  if (conflicts.length > 0 && manager === kubectl && live !== undefined) {
    conflicts = withoutAllowed(conflicts, fieldsLastApplied(live, shape));
  }
  if (conflicts.length > 0) throw conflictError(conflicts);
}

/** Nothing but ownership can have changed; the time of an entry then stays. */
function keepLive(
  live: UnknownObject,
  others: readonly Owner[],
  claim: Owner,
  last: Owner | undefined,
): UnknownObject {
  const self = last !== undefined && jsonEqual(last.fields, claim.fields) ? last : claim;
  const managedFields = writeOwners([...others, self]);
  if (jsonEqual(managedFields, live.metadata.managedFields)) return live;
  return withManagedFields(live, managedFields);
}
