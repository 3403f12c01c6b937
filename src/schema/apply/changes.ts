import { jsonEqual } from '../patch/json-equal.ts';
import { isFields } from '../patch/patch-errors.ts';
import type { FieldSet } from './fields-v1.ts';
import { difference, isEmptySet, leaf } from './fields-v1.ts';
import { hasSameKeys, itemElement, valueElement } from './list-key.ts';
import type { FieldShape, ListMapShape, Shape, StructShape } from './shape.ts';
import { deducedShape } from './shape.ts';
import { allPaths, isWritten, isZero } from './value-paths.ts';

type Fields = Readonly<Record<string, unknown>>;
type Building = Record<string, FieldSet>;

/** Paths that were added or got another value, and paths that are gone. */
export interface Change {
  readonly changed: FieldSet | undefined;
  readonly removed: FieldSet | undefined;
}

const nothing: Fields = Object.freeze({});
const leafChanged: Change = { changed: leaf, removed: undefined };
const leafRemoved: Change = { changed: undefined, removed: leaf };

/** Gathers the changes below one node; allocates only when there are any. */
class Gathered {
  changed: Building | undefined;
  removed: Building | undefined;

  take(element: string, change: Change | undefined): void {
    if (change === undefined) return;
    if (change.changed !== undefined) (this.changed ??= {})[element] = change.changed;
    if (change.removed !== undefined) (this.removed ??= {})[element] = change.removed;
  }

  drop(element: string): void {
    this.changed = without(this.changed, element);
    this.removed = without(this.removed, element);
  }

  result(): Change | undefined {
    return this.changed === undefined && this.removed === undefined ? undefined : this;
  }
}

/** Undefined when nothing is left: an empty set would stand for the node itself. */
function without(set: Building | undefined, element: string): Building | undefined {
  if (set === undefined) return undefined;
  const { [element]: _dropped, ...rest } = set;
  return Object.keys(rest).length === 0 ? undefined : rest;
}

/**
 * What a write changed, without the paths in `ignored` and what is below them. Parts shared by
 * both objects cost nothing. Throws MissingListKey for a list item without its keys.
 */
export function changesBetween(
  old: Fields,
  object: Fields,
  shape: StructShape,
  ignored: FieldSet,
): Change | undefined {
  const gathered = new Gathered();
  diffStruct(old, object, shape, gathered, ignored);
  const { changed, removed } = gathered;
  if (isEmptySet(ignored)) return gathered.result();
  const reduced = (set: FieldSet | undefined): FieldSet | undefined => {
    const rest = set === undefined ? leaf : difference(set, ignored, true);
    return isEmptySet(rest) ? undefined : rest;
  };
  const kept: Change = { changed: reduced(changed), removed: reduced(removed) };
  return kept.changed === undefined && kept.removed === undefined ? undefined : kept;
}

function diffStruct(
  old: Fields,
  object: Fields,
  shape: StructShape,
  gathered: Gathered,
  ignored: FieldSet = leaf,
): void {
  for (const key in object) {
    const after = object[key];
    const before = old[key];
    if (before === after) continue;
    const field = shape.field(key);
    const element = field?.element ?? `f:${key}`;
    const skip = ignored[element];
    if (skip !== undefined && isEmptySet(skip)) continue;
    gathered.take(element, diffField(before, after, field));
  }
  for (const key in old) {
    if (object[key] !== undefined || old[key] === undefined) continue;
    const field = shape.field(key);
    const element = field?.element ?? `f:${key}`;
    const skip = ignored[element];
    if (skip !== undefined && isEmptySet(skip)) continue;
    gathered.take(element, diffField(old[key], undefined, field));
  }
}

function diffField(
  before: unknown,
  after: unknown,
  field: FieldShape | undefined,
): Change | undefined {
  const shape = field?.shape ?? deducedShape;
  if (shape.kind === 'skipped') return undefined;
  if (field?.isValue === true) {
    if (shape.kind === 'struct') return diffValue(before ?? nothing, after ?? nothing, shape);
    if (field.isAlwaysWritten && shape.kind === 'leaf') {
      if (isZero(before) && isZero(after)) return undefined;
      return jsonEqual(before, after) ? undefined : leafChanged;
    }
  }
  if (field?.isAlwaysWritten === true && (shape.kind === 'list-map' || shape.kind === 'set')) {
    // Go writes such a list as null when there is none, so it never comes or goes itself.
    return diffLists(asList(before), asList(after), shape);
  }
  if (after === null) return diffNull(before, shape);
  if (before === null && after === undefined) return leafRemoved;
  const had = isWritten(before, field);
  const has = isWritten(after, field);
  if (had && has) return diffValue(before, after, shape);
  if (has) return { changed: allPaths(after, shape), removed: undefined };
  return had ? { changed: undefined, removed: allPaths(before, shape) } : undefined;
}

/**
 * Null is a value of its own that has no parts: of an object or list that had some, only they are
 * gone. Objects of built-in kinds have no nulls, only what is applied to them.
 */
function diffNull(before: unknown, shape: Shape): Change | undefined {
  if (before === null) return undefined;
  if (shape.kind === 'leaf' || typeof before !== 'object') return leafChanged;
  const { '.': _itself, ...parts } = allPaths(before, shape);
  return isEmptySet(parts) ? leafChanged : { changed: undefined, removed: parts };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function diffValue(before: unknown, after: unknown, shape: Shape): Change | undefined {
  if (before === after) return undefined;
  if (shape.kind === 'leaf') return jsonEqual(before, after) ? undefined : leafChanged;
  if (Array.isArray(before) && Array.isArray(after)) return diffLists(before, after, shape);
  if (isFields(before) && isFields(after)) {
    const gathered = new Gathered();
    if (shape.kind === 'struct') diffStruct(before, after, shape, gathered);
    else diffMap(before, after, shape.kind === 'map' ? shape.value : deducedShape, gathered);
    return gathered.result();
  }
  const isScalar = typeof before !== 'object' && typeof after !== 'object';
  if (isScalar) return leafChanged;
  return { changed: allPaths(after, shape), removed: allPaths(before, shape) };
}

function diffMap(before: Fields, after: Fields, value: Shape, gathered: Gathered): void {
  for (const key in after) {
    const item = after[key];
    const old = before[key];
    if (old === item || item === undefined) continue;
    gathered.take(`f:${key}`, diffEntry(old, item, value));
  }
  for (const key in before) {
    const old = before[key];
    if (old === undefined || after[key] !== undefined) continue;
    gathered.take(`f:${key}`, { changed: undefined, removed: allPaths(old, value) });
  }
}

function diffEntry(before: unknown, after: unknown, shape: Shape): Change | undefined {
  if (after === null) return diffNull(before, shape);
  if (before !== undefined && before !== null) return diffValue(before, after, shape);
  return { changed: allPaths(after, shape), removed: undefined };
}

function diffLists(
  before: readonly unknown[],
  after: readonly unknown[],
  shape: Shape,
): Change | undefined {
  const gathered = new Gathered();
  if (shape.kind === 'list-map') diffItems(before, after, shape, gathered);
  else if (shape.kind === 'set') diffSets(before, after, gathered);
  else return jsonEqual(before, after) ? undefined : leafChanged;
  return gathered.result();
}

function diffItems(
  before: readonly unknown[],
  after: readonly unknown[],
  shape: ListMapShape,
  gathered: Gathered,
): void {
  if (hasSameOrder(before, after, shape)) {
    for (let index = 0; index < after.length; index++) {
      const change = diffValue(before[index], after[index], shape.item);
      if (change !== undefined) gathered.take(itemElement(after[index], shape), change);
    }
    return;
  }
  const old = new Map<string, unknown>();
  const twice = new Set<string>();
  for (const item of before) {
    const element = itemElement(item, shape);
    if (old.has(element)) twice.add(element);
    old.set(element, item);
  }
  const kept = new Set<string>();
  for (const item of after) {
    const element = itemElement(item, shape);
    if (kept.has(element)) twice.add(element);
    kept.add(element);
    if (twice.has(element)) continue;
    const counterpart = old.get(element);
    const change =
      counterpart === undefined
        ? { changed: allPaths(item, shape.item), removed: undefined }
        : diffValue(counterpart, item, shape.item);
    gathered.take(element, change);
  }
  for (const [element, item] of old) {
    if (kept.has(element)) continue;
    gathered.take(element, { changed: undefined, removed: allPaths(item, shape.item) });
  }
  for (const element of twice) {
    if (!kept.has(element)) continue;
    const isIt = (item: unknown): boolean => itemElement(item, shape) === element;
    const isSame = jsonEqual(before.filter(isIt), after.filter(isIt));
    gathered.drop(element);
    if (!isSame) gathered.take(element, leafChanged);
  }
}

function hasSameOrder(
  before: readonly unknown[],
  after: readonly unknown[],
  shape: ListMapShape,
): boolean {
  if (before.length !== after.length) return false;
  for (let index = 0; index < after.length; index++) {
    if (!hasSameKeys(before[index], after[index], shape)) return false;
  }
  return true;
}

function diffSets(before: readonly unknown[], after: readonly unknown[], gathered: Gathered): void {
  const old = new Set(before.map(valueElement));
  const kept = new Set(after.map(valueElement));
  for (const element of kept) if (!old.has(element)) gathered.take(element, leafChanged);
  for (const element of old) if (!kept.has(element)) gathered.take(element, leafRemoved);
}
