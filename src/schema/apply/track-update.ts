import { formatTime } from '#base/clock.ts';
import { K3tsError, hasCode, messageOf } from '#base/errors.ts';
import type { ManagedFieldsEntry } from '../generated/types.ts';
import type { UnknownObject } from '../object.ts';
import { groupVersion } from '../object.ts';
import { jsonEqual } from '../patch/json-equal.ts';
import type { TypeLookup } from '../patch/type-lookup.ts';
import type { ResourceInfo } from '../resource-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import type { Change } from './changes.ts';
import { changesBetween } from './changes.ts';
import { leaf, union } from './fields-v1.ts';
import { effectiveChange, ignoredFields } from './ignored-fields.ts';
import { changeOfCreation } from './known-sketches.ts';
import type { Owner } from './owners.ts';
import {
  capOwners,
  isSameOwner,
  readGivenOwners,
  readOwners,
  withFields,
  withoutChanges,
  writeOwners,
} from './owners.ts';
import { shapesOf } from './shape.ts';
import { reconciledOwners } from './topology.ts';
import type { Converting, OtherVersions } from './versions.ts';
import { finishAtOnce, finishConverting, seenByOwners } from './versions.ts';

export interface TrackOptions {
  /** The stored object; undefined on create. */
  old: UnknownObject | undefined;
  object: UnknownObject;
  manager: string;
  operation: 'Update';
  info: ResourceInfo;
  /** Empty for the object itself. */
  subresource: string;
  nowMs: number;
  /** Where the type of a custom resource is known; the built-in types otherwise. */
  types?: TypeLookup;
}

/**
 * The object with managedFields as a create, update or patch leaves them: the manager owns what it
 * changed, others lose it, and the time moves only when something changed. Objects that have no
 * managed fields stay without until they are applied. Neither object is changed; upstream calls
 * this before mutating admission.
 */
export function trackUpdate(options: TrackOptions): UnknownObject {
  return finishAtOnce(tracking(options, undefined));
}

/**
 * The same for a kind whose versions name their fields differently. An object that cannot be
 * converted loses its managed fields, as upstream.
 */
export async function trackUpdateAcross(
  options: TrackOptions,
  versions: OtherVersions,
): Promise<UnknownObject> {
  const convert: OtherVersions['convert'] = async (object, apiVersion) => {
    try {
      return await versions.convert(object, apiVersion);
    } catch (error) {
      throw new K3tsError('Unconvertible', messageOf(error), { cause: error });
    }
  };
  const types = (apiVersion: string): TypeLookup | undefined => versions.types(apiVersion);
  const able: OtherVersions = { types, convert };
  try {
    return await finishConverting(tracking(options, able), able);
  } catch (error) {
    if (!hasCode(error, 'Unconvertible')) throw error;
    return withManagedFields(options.object, undefined);
  }
}

function* tracking(
  options: TrackOptions,
  versions: OtherVersions | undefined,
): Converting<UnknownObject> {
  const { old, object, info, types } = options;
  const scope = { apiVersion: groupVersion(info), typeName: info.typeName, versions };
  const known = currentOwners(options);
  const owners =
    types === undefined || types === typeTable
      ? known
      : reconciledOwners(known, shapesOf(types).root(info.typeName), scope);
  if (owners.length === 0 && old !== undefined) return withManagedFields(object, undefined);
  let change: Change | undefined;
  try {
    change = changesOf(options);
  } catch (error) {
    // Same as upstream: lists that cannot be told apart leave the fields as they were.
    if (!hasCode(error, 'MissingListKey')) throw error;
    return withManagedFields(object, old?.metadata.managedFields);
  }
  if (change === undefined) return withManagedFields(object, writeOwners(owners));
  const after = yield* ownersAfter(owners, change, options, versions);
  return withManagedFields(object, writeOwners(capOwners(after)));
}

const emptyObject = Object.freeze({ metadata: Object.freeze({}) }) as UnknownObject;

function changesOf({
  old,
  object,
  info,
  subresource,
  types = typeTable,
}: TrackOptions): Change | undefined {
  const shape = shapesOf(types).root(info.typeName);
  const ignored = ignoredFields(info, subresource);
  if (old !== undefined) {
    return effectiveChange(changesBetween(old, object, shape, ignored), info, subresource);
  }
  return changeOfCreation(object, shape, ignored, () => changesBetween({}, object, shape, ignored));
}

/** Who owned what before: as the request says if it may and does, else as stored. */
function currentOwners({ old, object, subresource }: TrackOptions): readonly Owner[] {
  const stored = old?.metadata.managedFields;
  if (subresource === '') {
    const given = object.metadata.managedFields;
    if (given !== undefined && isReset(given)) return [];
    if (given !== undefined && !jsonEqual(given, stored)) {
      const owners = readGivenOwners(given);
      if (owners !== undefined) return owners;
    }
  }
  return readOwners(stored) ?? [];
}

/** An empty list, or one empty entry, asks to forget all owners. */
function isReset(managedFields: readonly ManagedFieldsEntry[]): boolean {
  const [only, ...others] = managedFields;
  return only === undefined || (others.length === 0 && Object.keys(only).length === 0);
}

function* ownersAfter(
  owners: readonly Owner[],
  change: Change,
  { old = emptyObject, object, manager, info, subresource, nowMs }: TrackOptions,
  versions: OtherVersions | undefined,
): Converting<Owner[]> {
  const between = {
    old: withManagedFields(old, undefined),
    object: withManagedFields(object, undefined),
    ignored: ignoredFields(info, subresource),
  };
  const scope = { apiVersion: groupVersion(info), typeName: info.typeName, versions };
  const seen = yield* seenByOwners(owners, change, between, scope);
  const after = seen.map((one) => withoutChanges(one.owner, one.change));
  if (change.changed === undefined) return after;
  const self: Owner = {
    manager,
    operation: 'Update',
    apiVersion: groupVersion(info),
    subresource,
    time: formatTime(nowMs),
    fields: change.changed,
  };
  const index = after.findIndex((owner) => isSameOwner(owner, self));
  if (index < 0) return [...after, self];
  const before = after[index]?.fields ?? leaf;
  after[index] = withFields(self, union(before, change.changed));
  return after;
}

/** A copy of the object with other managed fields; the object itself when they are the same. */
export function withManagedFields(
  object: UnknownObject,
  managedFields: ManagedFieldsEntry[] | undefined,
): UnknownObject {
  const { managedFields: before, ...metadata } = object.metadata;
  if (before === undefined && managedFields === undefined) return object;
  if (managedFields === undefined) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, managedFields } };
}
