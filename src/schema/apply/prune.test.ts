/** Pruning in one walk against upstream's way: sets of paths, taken away and added back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createTypeLookup, parseStructural } from '../structural/mod.ts';
import type { FieldSet } from './fields-v1.ts';
import { difference, intersection, isMember, leaf, union } from './fields-v1.ts';
import { itemElement, valueElement } from './list-key.ts';
import { prune } from './prune.ts';
import type { Shape } from './shape.ts';
import { deducedShape, shapesOf } from './shape.ts';
import { appliedPaths } from './value-paths.ts';

type Json = Record<string, unknown>;

const text = { type: 'string' };
const object = (properties: Json): Json => ({ type: 'object', properties });
const keyed = (properties: Json): Json => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['k'],
  items: object({ k: text, ...properties }),
});
const schema = object({
  spec: object({
    a: text,
    o: object({ x: text, y: text }),
    m: { type: 'object', additionalProperties: text },
    e: { type: 'object', additionalProperties: object({ p: text, q: text }) },
    l: keyed({ v: text, o: object({ x: text }), i: keyed({ w: text }) }),
    s: { type: 'array', 'x-kubernetes-list-type': 'set', items: text },
    t: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: text },
  }),
});
const shape = shapesOf(createTypeLookup(parseStructural(schema))).root('');

function below(of: Shape, element: string): Shape {
  if (of.kind === 'list-map') return of.item;
  if (of.kind === 'map') return of.value;
  if (of.kind === 'struct') return of.field(element.slice(2))?.shape ?? deducedShape;
  return deducedShape;
}

const isField = (of: Shape, element: string): boolean =>
  of.kind === 'struct' && of.field(element.slice(2)) !== undefined;

/** The set with the fields of structs that have something in it. */
function ensured(set: FieldSet, of: Shape): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const element in set) {
    const child = set[element] ?? leaf;
    const inside = element === '.' ? child : ensured(child, below(of, element));
    const isIn = element !== '.' && isField(of, element) && !isMember(inside);
    result[element] = isIn ? { '.': leaf, ...inside } : inside;
  }
  return result;
}

/** A value without the paths of a set; what becomes empty is null. */
function without(value: unknown, set: FieldSet, of: Shape): unknown {
  if (of.kind === 'leaf' || typeof value !== 'object' || value === null) return value;
  const gone = (element: string): boolean => {
    const node = set[element];
    return node !== undefined && isMember(node);
  };
  if (Array.isArray(value)) {
    const elementOf = (item: unknown): string =>
      of.kind === 'list-map' ? itemElement(item, of) : valueElement(item);
    const rest = value
      .filter((item) => !gone(elementOf(item)))
      .map((item: unknown) => {
        const inside = set[elementOf(item)];
        return inside === undefined ? item : without(item, inside, below(of, elementOf(item)));
      });
    return rest.length === 0 ? null : rest;
  }
  const rest = Object.entries(value)
    .filter(([key]) => !gone(`f:${key}`))
    .map(([key, part]): [string, unknown] => {
      const inside = set[`f:${key}`];
      return [key, inside === undefined ? part : without(part, inside, below(of, `f:${key}`))];
    });
  return rest.length === 0 ? null : Object.fromEntries(rest);
}

/** Upstream's three steps. */
function prunedBySets(merged: Json, last: FieldSet, owned: FieldSet): unknown {
  const full = (value: unknown): FieldSet =>
    value === null ? {} : ensured(appliedPaths(value as Json, shape), shape);
  const [all, before, now] = [full(merged), ensured(last, shape), ensured(owned, shape)];
  const first = without(merged, before, shape);
  const second = without(merged, difference(all, union(full(first), now), false), shape);
  const lost = intersection(difference(all, full(second), false), before);
  return without(merged, lost ?? {}, shape);
}

const word = fc.constantFrom('1', '2');
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const name = fc.constantFrom('a', 'b');
const byKey = { selector: ({ k }: { k: string }) => k, minLength: 1, maxLength: 2 };
const inner = fc.uniqueArray(fc.record({ k: name, w: some(word) }), byKey);
const item = fc.record({ k: name, v: some(word), o: some(fc.record({ x: word })), i: some(inner) });
const map = { minKeys: 1, maxKeys: 2, noNullPrototype: true };
const value = fc.record({
  a: some(word),
  o: some(fc.record({ x: word, y: word })),
  m: some(fc.dictionary(name, word, map)),
  e: some(fc.dictionary(name, fc.record({ p: word, q: word }), map)),
  l: some(fc.uniqueArray(item, byKey)),
  s: some(fc.uniqueArray(name, { minLength: 1 })),
  t: some(fc.array(word, { minLength: 1, maxLength: 2 })),
});

/** A part of a set: each path is in it or not; an item and its key go together. */
function partOf(set: FieldSet, of: Shape, next: () => boolean): FieldSet {
  const result: Record<string, FieldSet> = {};
  for (const element in set) {
    if (element === '.') continue;
    const all = set[element] ?? leaf;
    const { 'f:k': key, ...parts } = partOf(all, below(of, element), next);
    const isIn = isMember(all) && (all['f:k'] === undefined ? next() : key !== undefined);
    const inside: FieldSet = key === undefined ? parts : { 'f:k': key, ...parts };
    const isEmpty = Object.keys(inside).length === 0;
    if (isEmpty && isIn) result[element] = leaf;
    else if (!isEmpty) result[element] = isIn ? { '.': leaf, ...inside } : inside;
  }
  return result;
}

test('what is left is what upstream’s sets of paths leave', () => {
  const choices = fc.array(fc.boolean(), { minLength: 1, maxLength: 97 });
  const dense = (list: readonly boolean[]): (() => boolean) => {
    let at = 0;
    return () => list[at++ % list.length] === true;
  };
  fc.assert(
    fc.property(value, choices, choices, (spec, lastChoices, ownedChoices) => {
      const merged = JSON.parse(JSON.stringify({ spec })) as Json;
      const all = appliedPaths(merged, shape);
      const last = partOf(all, shape, dense(lastChoices));
      const owned = partOf(all, shape, dense(ownedChoices));
      const expected = prunedBySets(merged, last, owned) ?? {};
      assert.deepEqual(prune(merged, last, owned, shape, true), expected);
    }),
    { numRuns: 500 },
  );
});
