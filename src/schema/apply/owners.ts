import type { ManagedFieldsEntry } from '../generated/types.ts';
import { jsonEqual } from '../patch/json-equal.ts';
import { compareBytes } from '../selectors/requirement.ts';
import type { FieldSet } from './fields-v1.ts';
import { difference, inOrder, isEmptySet, isFieldSet, leaf, union } from './fields-v1.ts';
import type { Change } from './changes.ts';

/** One entry of managedFields that is known to be well formed; shared, never changed. */
export interface Owner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
  /** As it is stored; absent when the entry has to be written anew. */
  readonly entry?: ManagedFieldsEntry;
}

/** More managers than these that updated are folded into one. */
const maxUpdateManagers = 10;
const ancientChanges = 'ancient-changes';

/** The owners that managedFields names; undefined when an entry is malformed, as upstream drops all. */
export function readOwners(
  managedFields: readonly ManagedFieldsEntry[] | undefined,
): readonly Owner[] | undefined {
  const owners: Owner[] = [];
  for (const entry of managedFields ?? []) {
    const { operation, apiVersion = '', fieldsType, fieldsV1 = leaf } = entry;
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if (apiVersion === '' || fieldsType !== 'FieldsV1') return undefined;
    owners.push({
      manager: entry.manager ?? '',
      operation,
      apiVersion,
      subresource: entry.subresource ?? '',
      time: entry.time,
      fields: fieldsV1 as FieldSet,
      entry,
    });
  }
  return owners;
}

/** What upstream finds wrong with managed fields that come from somebody else. */
export function managedFieldsProblem(
  managedFields: readonly ManagedFieldsEntry[],
): string | undefined {
  for (const [index, entry] of managedFields.entries()) {
    const { operation, apiVersion = '', fieldsType = '', fieldsV1 = leaf } = entry;
    if (operation !== 'Apply' && operation !== 'Update') {
      return 'operation must be `Apply` or `Update`';
    }
    if (apiVersion === '') return 'apiVersion must not be empty';
    if (fieldsType === '') return `missing fieldsType in managed fields entry ${index}`;
    if (fieldsType !== 'FieldsV1') {
      return `invalid fieldsType ${JSON.stringify(fieldsType)} in managed fields entry ${index}`;
    }
    if (!isFieldSet(fieldsV1)) {
      return `error decoding versioned set from ${JSON.stringify(entry)}: not a set of fields`;
    }
  }
  return undefined;
}

/** Owners from a request, whose sets have to be checked as well. */
export function readGivenOwners(
  managedFields: readonly ManagedFieldsEntry[] | undefined,
): readonly Owner[] | undefined {
  const owners = readOwners(managedFields);
  return owners?.every(({ fields }) => isFieldSet(fields)) === true ? owners : undefined;
}

/** The same manager doing the same thing; who applies does so in one version only. */
export function isSameOwner(a: Owner, b: Owner): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

/** Whether two lists of managers own the same, whenever they came to. */
export function isSameOwners(
  a: readonly ManagedFieldsEntry[],
  b: readonly ManagedFieldsEntry[],
): boolean {
  if (a.length !== b.length) return false;
  return a.every((entry, index) => {
    const { time: _time, ...rest } = entry;
    const { time: _otherTime, ...other } = b[index] as ManagedFieldsEntry;
    return jsonEqual(rest, other);
  });
}

/** An owner with another set; the same object when the set is the same. */
export function withFields(owner: Owner, fields: FieldSet): Owner {
  if (fields === owner.fields) return owner;
  const { entry: _, ...rest } = owner;
  return { ...rest, fields };
}

/** An owner without what another one changed or removed. */
export function withoutChanges(owner: Owner, change: Change): Owner {
  let { fields } = owner;
  if (change.changed !== undefined) fields = difference(fields, change.changed, false);
  if (change.removed !== undefined) fields = difference(fields, change.removed, true);
  return withFields(owner, fields);
}

/** managedFields in upstream's order, without owners of nothing; undefined when there is none. */
export function writeOwners(owners: readonly Owner[]): ManagedFieldsEntry[] | undefined {
  const kept = owners.filter(({ fields }) => !isEmptySet(fields));
  if (kept.length === 0) return undefined;
  return kept.toSorted(compareOwners).map(writeOwner);
}

function writeOwner(owner: Owner): ManagedFieldsEntry {
  if (owner.entry !== undefined) return owner.entry;
  return {
    manager: owner.manager,
    operation: owner.operation,
    apiVersion: owner.apiVersion,
    ...(owner.time === undefined ? {} : { time: owner.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: inOrder(owner.fields),
    ...(owner.subresource === '' ? {} : { subresource: owner.subresource }),
  };
}

function compareOwners(a: Owner, b: Owner): number {
  if (a.operation !== b.operation) return a.operation < b.operation ? -1 : 1;
  return (
    compareTimes(a, b) ||
    compareBytes(a.manager, b.manager) ||
    compareBytes(a.apiVersion, b.apiVersion) ||
    compareBytes(a.subresource, b.subresource)
  );
}

function compareTimes(a: Owner, b: Owner): number {
  const left = a.time ?? '';
  const right = b.time ?? '';
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Folds the oldest managers that updated into one for each version, until there are few enough. */
export function capOwners(owners: readonly Owner[]): readonly Owner[] {
  const updaters = owners.filter(({ operation }) => operation === 'Update');
  if (updaters.length <= maxUpdateManagers) return owners;
  const oldestFirst = updaters.toSorted(
    (a, b) => compareTimes(a, b) || compareBytes(a.manager, b.manager),
  );
  const buckets = new Map<string, { first: Owner; bucket: Owner | undefined }>();
  const folded = new Set<Owner>();
  let count = updaters.length;
  for (const owner of oldestFirst) {
    if (count <= maxUpdateManagers) break;
    const seen = buckets.get(owner.apiVersion);
    if (seen === undefined) {
      buckets.set(owner.apiVersion, { first: owner, bucket: undefined });
      continue;
    }
    folded.add(owner).add(seen.first);
    seen.bucket = {
      manager: ancientChanges,
      operation: 'Update',
      apiVersion: owner.apiVersion,
      subresource: '',
      time: owner.time,
      fields: union(seen.bucket?.fields ?? seen.first.fields, owner.fields),
    };
    count--;
  }
  const made = [...buckets.values()].flatMap(({ bucket }) => bucket ?? []);
  return [...owners.filter((owner) => !folded.has(owner)), ...made];
}
