import assert from 'node:assert/strict';
import { deepFreeze } from '#base/deep-freeze.ts';
import { catalog } from '../../catalog.ts';
import { applyDefaults } from '../../defaults/apply.ts';
import type { FieldError } from '../../field-error.ts';
import { conform } from '../../decode/conform.ts';
import type { UnknownObject } from '../../object.ts';
import type { ResourceInfo } from '../../resource-info.ts';
import { validateCreate, validateUpdate } from '../validate.ts';
import { validObjects } from './valid-objects.ts';

type Json = Record<string, unknown>;

/** Values by dotted path, as `spec.containers.0.image`; undefined takes the value away. */
export type Changes = Readonly<Record<string, unknown>>;

/** One row of a table: what is changed in a valid object, and the errors, `field: message`. */
export type Row = readonly [changes: Changes, ...lines: string[]];

/** Rows of update tables: the stored object is the valid one with the first changes. */
export type UpdateRow = readonly [old: Changes, changes: Changes, ...lines: string[]];

export interface KindUnderTest {
  readonly info: ResourceInfo;
  /** The valid object as a client would send it, with changes, decoded and with defaults. */
  build(changes?: Changes): UnknownObject;
  created(changes: Changes): string[];
  updated(old: Changes, changes: Changes, subresource?: string): string[];
  /** As `updated`, but `changes` are those of the new object alone. */
  changed(old: Changes, changes: Changes, subresource?: string): string[];
  /** Asserts every row of creations. */
  create(rows: readonly Row[]): void;
  /** Asserts every row of updates. */
  update(rows: readonly UpdateRow[], subresource?: string): void;
}

/** The object of a case as a client sends it, with the kind's valid object below the changes. */
export function objectOfCase(one: {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly changes: Changes;
}): Json {
  const { group, version, resource, changes } = one;
  const info = catalog.byResource({ group, version, resource });
  assert.ok(info, resource);
  const base = baseOf(info, validObjects[`${group}/${resource}`] ?? {});
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return { apiVersion, kind: info.kind, ...withChanges(base, changes) };
}

function baseOf(info: ResourceInfo, valid: Json): Json {
  const namespace = info.namespaced ? { namespace: 'default' } : {};
  return {
    ...valid,
    metadata: { name: 'a', ...namespace, ...(valid['metadata'] as Json | undefined) },
  };
}

function withChanges(base: Json, changes: Changes): Json {
  // parts that the valid object shares have to change apart
  const object = JSON.parse(JSON.stringify(base)) as Json;
  for (const [path, value] of Object.entries(changes)) setAt(object, path.split('.'), value);
  return object;
}

/** Rules of one kind, tried out on variants of its object in validObjects. */
export function validKind(group: string, resource: string, version = 'v1'): KindUnderTest {
  const key = `${group}/${resource}`;
  const valid =
    validObjects[version === 'v1' ? (`${key}/v1` in validObjects ? `${key}/v1` : key) : key];
  assert.ok(valid, key);
  return kindUnderTest(group, resource, valid, version);
}

/** Rules of one kind, tried out on variants of one valid object. */
export function kindUnderTest(
  group: string,
  resource: string,
  valid: Json,
  version = 'v1',
): KindUnderTest {
  const info = catalog.byResource({ group, version, resource });
  assert.ok(info, resource);
  const base = baseOf(info, valid);
  const build = (changes: Changes = {}): UnknownObject => {
    const object = withChanges(base, changes);
    const { object: decoded } = conform(object, info.typeName, 'Strict');
    const copy = structuredClone(decoded) as unknown as UnknownObject;
    applyDefaults(copy, info.typeName);
    return deepFreeze(copy);
  };
  const created = (changes: Changes): string[] => linesOf(validateCreate(info, build(changes)));
  const updated = (old: Changes, changes: Changes, subresource = ''): string[] =>
    linesOf(validateUpdate(info, build({ ...old, ...changes }), build(old), subresource));
  return {
    info,
    build,
    created,
    updated,
    changed: (old, changes, subresource = '') =>
      linesOf(validateUpdate(info, build(changes), build(old), subresource)),
    create(rows) {
      assert.deepEqual(created({}), [], 'the valid object');
      for (const [changes, ...lines] of rows) {
        assert.deepEqual(created(changes), lines, JSON.stringify(changes));
      }
    },
    update(rows, subresource) {
      assert.deepEqual(updated({}, {}, subresource), [], 'no change');
      for (const [old, changes, ...lines] of rows) {
        assert.deepEqual(updated(old, changes, subresource), lines, JSON.stringify(changes));
      }
    },
  };
}

export function linesOf(errors: readonly FieldError[]): string[] {
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

function setAt(target: unknown, [step = '', ...rest]: string[], value: unknown): void {
  assert.ok(typeof target === 'object' && target !== null, step);
  const fields = target as Json;
  const key = step.replaceAll('~', '.');
  if (rest.length === 0) {
    if (value === undefined) delete fields[key];
    else fields[key] = value;
    return;
  }
  if (fields[key] === undefined) fields[key] = /^[0-9]+$/.test(rest[0] ?? '') ? [] : {};
  setAt(fields[key], rest, value);
}
