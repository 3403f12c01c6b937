import { isFields } from '../patch/patch-errors.ts';
import type { FieldSet } from './fields-v1.ts';
import { isMember, leaf, union } from './fields-v1.ts';
import { itemElement, valueElement } from './list-key.ts';
import type { ListMapShape, SetShape, Shape, StructShape } from './shape.ts';
import { deducedShape } from './shape.ts';

type Fields = Record<string, unknown>;

/** Stands for a value that has to go. */
const gone = Symbol('gone');
/** Stands for a null where types have none: the value is absent, what holds it is not empty. */
const absent = Symbol('absent');

/** One path on the way down: what was owned and what still is, there and below. */
interface Place {
  readonly last: FieldSet;
  readonly owned: FieldSet | undefined;
  readonly shape: Shape;
  /** The path is in both sets; a field of a struct is in a set that has anything below it. */
  readonly wasOwned: boolean;
  readonly isOwned: boolean;
}

/** What became of the path above. */
interface Above {
  /** It, or one further up, was owned before. */
  readonly wasOwned: boolean;
  /** Nobody owns it: what was owned before below it goes, whoever owns that now. */
  readonly isGone: boolean;
  /** What stands for an object or list that has become empty. */
  readonly empty: null | typeof absent;
}

/**
 * Removes from a merged object what its applier owned before (`last`) and nobody owns now
 * (`owned`). An item of a list and an entry of a map go when nobody owns them as such, with all
 * that others own inside; a field of a struct stays as long as somebody owns something inside.
 * What becomes empty is null, as upstream, which is absent where types have no nulls
 * (`hasNulls` false). Copies what it changes.
 */
export function prune(
  merged: Fields,
  last: FieldSet,
  owned: FieldSet,
  shape: StructShape,
  hasNulls: boolean,
): Fields {
  const empty = hasNulls ? null : absent;
  const top: Above = { wasOwned: false, isGone: false, empty };
  const rest = pruneObject(merged, last, union(owned, identity), shape, top);
  return typeof rest === 'object' && rest !== null ? rest : {};
}

/** What makes an object, which every applier has to name and no set shows. */
const identity: FieldSet = { 'f:metadata': { 'f:name': leaf } };

function pruneObject(
  object: Fields,
  last: FieldSet,
  owned: FieldSet,
  shape: Shape,
  above: Above,
): Fields | Above['empty'] {
  let result = object;
  let hasAbsent = false;
  for (const element in last) {
    if (!element.startsWith('f:')) continue;
    const key = element.slice(2);
    const value = Object.hasOwn(object, key) ? object[key] : undefined;
    if (value === undefined) continue;
    const rest = pruneValue(value, fieldPlace(shape, key, last, owned), above);
    if (rest === value) continue;
    if (result === object) result = { ...object };
    if (rest === absent) hasAbsent = true;
    if (rest === absent || rest === gone) delete result[key];
    else result[key] = rest;
  }
  if (result === object || hasAbsent || Object.keys(result).length > 0) return result;
  return above.empty;
}

function fieldPlace(shape: Shape, key: string, last: FieldSet, owned: FieldSet): Place {
  const element = `f:${key}`;
  const field = shape.kind === 'struct' ? shape.field(key) : undefined;
  const below = field?.shape ?? (shape.kind === 'map' ? shape.value : deducedShape);
  return place(last[element] ?? leaf, owned[element], below, field !== undefined);
}

function place(last: FieldSet, owned: FieldSet | undefined, shape: Shape, isField: boolean): Place {
  const wasOwned = isField || isMember(last);
  const isOwned = owned !== undefined && (isField || isMember(owned));
  return { last, owned, shape, wasOwned, isOwned };
}

/** What is left of a value. */
function pruneValue(value: unknown, at: Place, above: Above): unknown {
  const { shape, last, owned = leaf } = at;
  if (shape.kind === 'skipped') return value;
  if (at.wasOwned && (above.isGone || !at.isOwned)) return gone;
  if (shape.kind === 'leaf') return value;
  const here: Above = {
    wasOwned: above.wasOwned || at.wasOwned,
    isGone: above.isGone || (above.wasOwned && !at.isOwned),
    empty: above.empty,
  };
  if (Array.isArray(value)) {
    const isKeyed = shape.kind === 'set' || shape.kind === 'list-map';
    return isKeyed ? pruneList(value, last, owned, shape, here) : value;
  }
  return isFields(value) ? pruneObject(value, last, owned, shape, here) : value;
}

function pruneList(
  list: readonly unknown[],
  last: FieldSet,
  owned: FieldSet,
  shape: SetShape | ListMapShape,
  above: Above,
): unknown {
  let isChanged = false;
  const rest: unknown[] = [];
  for (const item of list) {
    const left = pruneItem(item, last, owned, shape, above);
    if (left !== gone) rest.push(left === absent ? {} : left);
    if (left !== item) isChanged = true;
  }
  if (!isChanged) return list;
  return rest.length === 0 ? above.empty : rest;
}

function pruneItem(
  item: unknown,
  last: FieldSet,
  owned: FieldSet,
  shape: SetShape | ListMapShape,
  above: Above,
): unknown {
  const element = shape.kind === 'set' ? valueElement(item) : itemElement(item, shape);
  const before = last[element];
  if (before === undefined) return item;
  const below = shape.kind === 'set' ? shape : shape.item;
  return pruneValue(item, place(before, owned[element], below, false), above);
}
