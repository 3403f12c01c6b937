import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { catalog } from '../catalog.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import type { FieldSet } from './fields-v1.ts';
import { difference, forEachPath, intersection, union } from './fields-v1.ts';
import { serverSideApply, trackUpdate } from './mod.ts';

type Json = Record<string, unknown>;

function podsInfo(): ResourceInfo {
  const info = catalog.byResource({ group: '', version: 'v1', resource: 'pods' });
  assert.ok(info);
  return info;
}

const info = podsInfo();

function apply(live: UnknownObject | undefined, manager: string, config: Json): UnknownObject {
  const applied = { apiVersion: 'v1', kind: 'Pod', ...config } as unknown as UnknownObject;
  return serverSideApply({ live, applied, manager, force: true, info, subresource: '', nowMs: 0 });
}

/** Configurations over labels, finalizers (a set), containers (a map list) and their env. */
function config(prefix: string): fc.Arbitrary<Json> {
  const name = fc.constantFrom('a', 'b', 'c').map((letter) => prefix + letter);
  const value = fc.constantFrom('1', '2');
  const env = fc
    .uniqueArray(name, { maxLength: 2 })
    .chain((names) => fc.tuple(...names.map((one) => value.map((v) => ({ name: one, value: v })))));
  const container = fc.record({ name, image: value, env }).map((one) => dropEmpty(one));
  return fc
    .record({
      labels: fc.dictionary(name, value, { maxKeys: 2, noNullPrototype: true }),
      finalizers: fc.uniqueArray(name, { maxLength: 2 }),
      containers: fc.uniqueArray(container, { selector: (one) => one['name'], maxLength: 3 }),
    })
    .map(({ labels, finalizers, containers }) => ({
      metadata: { name: 'p', ...dropEmpty({ labels, finalizers }) },
      ...dropEmpty({ spec: dropEmpty({ containers }) }),
    }));
}

function dropEmpty(object: Json): Json {
  const isEmpty = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isEmpty(value)));
}

/** The object without its owners, lists sorted, to be compared as content. */
function content(object: UnknownObject): unknown {
  const { managedFields: _, ...metadata } = object.metadata;
  return sorted({ ...object, metadata });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

function paths(set: FieldSet): Set<string> {
  const result = new Set<string>();
  forEachPath(set, (path) => result.add(path.join('/')));
  return result;
}

function ownedBy(object: UnknownObject, manager: string): Set<string> {
  const entry = object.metadata.managedFields?.find((one) => one.manager === manager);
  return paths((entry?.fieldsV1 ?? {}) as FieldSet);
}

test('applying twice is applying once', () => {
  fc.assert(
    fc.property(config(''), config(''), (first, second) => {
      const live = apply(undefined, 'one', first);
      const once = apply(live, 'two', second);
      assert.equal(apply(once, 'two', second), once);
    }),
  );
});

test('an object applied by one manager is what that manager applied last', () => {
  fc.assert(
    fc.property(config(''), config(''), (first, second) => {
      const result = apply(apply(undefined, 'one', first), 'one', second);
      assert.deepEqual(content(result), content(apply(undefined, 'one', second)));
      assert.deepEqual(ownedBy(result, 'one'), ownedBy(apply(undefined, 'one', second), 'one'));
    }),
  );
});

test('two managers of different fields leave both and can be taken apart again', () => {
  const none = { metadata: { name: 'p' } };
  fc.assert(
    fc.property(config('x'), config('y'), (first, second) => {
      const both = apply(apply(undefined, 'one', first), 'two', second);
      const other = apply(apply(undefined, 'two', second), 'one', first);
      assert.deepEqual(content(both), content(other));
      assert.deepEqual(content(apply(both, 'one', none)), content(apply(undefined, 'two', second)));
      assert.deepEqual(content(apply(both, 'two', none)), content(apply(undefined, 'one', first)));
    }),
  );
});

test('a field goes when its last owner lets go of it', () => {
  const none = { metadata: { name: 'p' } };
  fc.assert(
    fc.property(config(''), config(''), (first, second) => {
      const both = apply(apply(undefined, 'one', first), 'two', second);
      const left = apply(both, 'one', none);
      const kept = ownedBy(both, 'two');
      assert.deepEqual(ownedBy(left, 'two'), kept);
      assert.deepEqual(content(left), content(apply(undefined, 'two', second)));
      assert.deepEqual(content(apply(left, 'two', none)), content(apply(undefined, 'x', none)));
    }),
  );
});

test('a written field is owned by its writer alone, whoever had it', () => {
  fc.assert(
    fc.property(config(''), config(''), (first, second) => {
      const live = apply(undefined, 'one', first);
      // Writes do not start owners on an object that has none.
      fc.pre(live.metadata.managedFields !== undefined);
      const object = { apiVersion: 'v1', kind: 'Pod', ...structuredClone(second) };
      const before = JSON.stringify(live);
      const written = trackUpdate({
        old: live,
        object: object as unknown as UnknownObject,
        manager: 'two',
        operation: 'Update',
        info,
        subresource: '',
        nowMs: 0,
      });
      assert.equal(JSON.stringify(live), before);
      const mine = ownedBy(written, 'two');
      const theirs = ownedBy(written, 'one');
      for (const path of mine) assert.ok(!theirs.has(path), path);
      const all = ownedBy(apply(undefined, 'one', second), 'one');
      for (const path of all) assert.ok(mine.has(path) || theirs.has(path), path);
      for (const path of theirs) assert.ok(ownedBy(live, 'one').has(path), path);
    }),
  );
});

const element = fc.constantFrom('f:a', 'f:b', 'v:"c"');
const path = fc.array(element, { minLength: 1, maxLength: 3 });
const pathList = fc.array(path, { maxLength: 6 });

function setOf(list: string[][]): FieldSet {
  return list.reduce<FieldSet>(
    (set, steps) =>
      union(
        set,
        steps.reduceRight<FieldSet>((below, step) => ({ [step]: below }), {}),
      ),
    {},
  );
}

test('sets of paths follow the laws of sets', () => {
  const names = (list: string[][]): Set<string> => new Set(list.map((steps) => steps.join('/')));
  fc.assert(
    fc.property(pathList, pathList, (left, right) => {
      const a = names(left);
      const b = names(right);
      assert.deepEqual(paths(setOf(left)), a);
      assert.deepEqual(paths(union(setOf(left), setOf(right))), a.union(b));
      assert.deepEqual(paths(intersection(setOf(left), setOf(right)) ?? {}), a.intersection(b));
      assert.deepEqual(paths(difference(setOf(left), setOf(right), false)), a.difference(b));
      const below = [...a].filter((one) => ![...b].some((top) => `${one}/`.startsWith(`${top}/`)));
      assert.deepEqual(paths(difference(setOf(left), setOf(right), true)), new Set(below));
    }),
  );
});
