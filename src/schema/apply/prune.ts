import { isFields } from '../patch/patch-errors.ts';
import type { FieldSet } from './fields-v1.ts';
import { isEmptySet, leaf, union } from './fields-v1.ts';
import { itemElement, valueElement } from './list-key.ts';
import type { Shape, StructShape } from './shape.ts';
import { deducedShape } from './shape.ts';

type Fields = Record<string, unknown>;

/**
 * Removes from a merged object what its applier owned before (`last`) and nobody owns now
 * (`owned`). Objects and lists that become empty go as well. Copies what it changes.
 */
export function prune(merged: Fields, last: FieldSet, owned: FieldSet, shape: StructShape): Fields {
  return pruneObject(merged, last, union(owned, identity), shape);
}

/** What makes an object, which every applier has to name and no set shows. */
const identity: FieldSet = { 'f:metadata': { 'f:name': leaf } };

function pruneObject(object: Fields, last: FieldSet, owned: FieldSet, shape: Shape): Fields {
  let result = object;
  for (const element in last) {
    if (!element.startsWith('f:')) continue;
    const key = element.slice(2);
    const value = Object.hasOwn(object, key) ? object[key] : undefined;
    if (value === undefined) continue;
    const rest = pruneValue(value, last[element], owned[element], shapeBelow(shape, key));
    if (rest === value) continue;
    if (result === object) result = { ...object };
    if (rest === undefined) delete result[key];
    else result[key] = rest;
  }
  return result;
}

function shapeBelow(shape: Shape, key: string): Shape {
  if (shape.kind === 'struct') return shape.field(key)?.shape ?? deducedShape;
  return shape.kind === 'map' ? shape.value : deducedShape;
}

/** What is left of a value that was applied, undefined when it has to go. */
function pruneValue(
  value: unknown,
  last: FieldSet | undefined,
  owned: FieldSet | undefined,
  shape: Shape,
): unknown {
  if (last === undefined) return value;
  if (owned === undefined) return shape.kind === 'skipped' ? value : undefined;
  if (isEmptySet(last) || shape.kind === 'leaf' || shape.kind === 'skipped') return value;
  if (Array.isArray(value)) return pruneList(value, last, owned, shape);
  if (!isFields(value)) return value;
  const rest = pruneObject(value, last, owned, shape);
  return rest !== value && Object.keys(rest).length === 0 ? undefined : rest;
}

function pruneList(
  list: readonly unknown[],
  last: FieldSet,
  owned: FieldSet,
  shape: Shape,
): unknown {
  if (shape.kind !== 'set' && shape.kind !== 'list-map') return list;
  let isChanged = false;
  const rest: unknown[] = [];
  for (const item of list) {
    const element = shape.kind === 'set' ? valueElement(item) : itemElement(item, shape);
    const below = shape.kind === 'set' ? shape : shape.item;
    const left = pruneValue(item, last[element], owned[element], below);
    if (left !== undefined) rest.push(left);
    if (left !== item) isChanged = true;
  }
  if (!isChanged) return list;
  return rest.length === 0 ? undefined : rest;
}
