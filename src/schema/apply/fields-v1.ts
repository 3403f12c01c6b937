/**
 * A set of paths in the form of FieldsV1. A key is a path element: `f:name`, `k:{"name":"a"}`,
 * `v:"a"` or `i:0`. A node belongs to the set when it is empty or has the key `.`; the root
 * stands for no path, so that an empty root is the empty set. Nodes are shared: never change one.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

type Building = Record<string, FieldSet>;

/** A path that is in the set and has nothing below it. */
export const leaf: FieldSet = Object.freeze({});

export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether the path that this node stands for is in the set. */
export function isMember(node: FieldSet): boolean {
  return node['.'] !== undefined || isEmptySet(node);
}

function combine(children: Building | undefined, isIn: boolean): FieldSet | undefined {
  if (children === undefined) return isIn ? leaf : undefined;
  return isIn ? { '.': leaf, ...children } : children;
}

/** All paths of both. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptySet(b)) return a;
  if (isEmptySet(a)) return b;
  let result: Building | undefined;
  for (const element in b) {
    const right = b[element] ?? leaf;
    const left = a[element];
    const merged = left === undefined ? right : unionBelow(left, right);
    if (merged === left) continue;
    result ??= { ...a };
    result[element] = merged;
  }
  return result ?? a;
}

function unionBelow(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmptySet(b)) return isMember(a) ? a : { '.': leaf, ...a };
  if (isEmptySet(a)) return isMember(b) ? b : { '.': leaf, ...b };
  return union(a, b);
}

/** Paths of `a` that are not in `b`. With `isDeep`, what is below a path of `b` goes too. */
export function difference(a: FieldSet, b: FieldSet, isDeep: boolean): FieldSet {
  return differenceOf(a, b, isDeep, false) ?? leaf;
}

function differenceOf(
  a: FieldSet,
  b: FieldSet,
  isDeep: boolean,
  isBelow: boolean,
): FieldSet | undefined {
  const isGone = isBelow && isMember(b);
  if (isGone && isDeep) return undefined;
  const wasIn = isBelow && isMember(a);
  let result: Building | undefined;
  for (const element in b) {
    if (element === '.') continue;
    const left = a[element];
    if (left === undefined) continue;
    const rest = differenceOf(left, b[element] ?? leaf, isDeep, true);
    if (rest === left) continue;
    result ??= { ...a };
    if (rest === undefined) delete result[element];
    else result[element] = rest;
  }
  if (result === undefined && !(isGone && wasIn)) return a;
  result ??= { ...a };
  delete result['.'];
  const isIn = wasIn && !isGone;
  return combine(isEmptySet(result) ? undefined : result, isIn) ?? (isBelow ? undefined : leaf);
}

/** Paths that are in both, undefined when there is none. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet | undefined {
  return intersectionOf(a, b, false);
}

function intersectionOf(a: FieldSet, b: FieldSet, isBelow: boolean): FieldSet | undefined {
  let children: Building | undefined;
  for (const element in a) {
    if (element === '.') continue;
    const right = b[element];
    if (right === undefined) continue;
    const both = intersectionOf(a[element] ?? leaf, right, true);
    if (both !== undefined) (children ??= {})[element] = both;
  }
  return combine(children, isBelow && isMember(a) && isMember(b));
}

/**
 * Paths that lie below a path of `pattern`, or on the way to one; undefined when there is none. The
 * element `f:*` of a pattern stands for any.
 */
export function onlyMatching(set: FieldSet, pattern: FieldSet): FieldSet | undefined {
  return onlyMatchingOf(set, pattern, false);
}

function onlyMatchingOf(set: FieldSet, pattern: FieldSet, isBelow: boolean): FieldSet | undefined {
  if (isBelow && isEmptySet(pattern)) return set;
  let children: Building | undefined;
  for (const element in set) {
    const next = element === '.' ? undefined : (pattern[element] ?? pattern['f:*']);
    if (next === undefined) continue;
    const kept = onlyMatchingOf(set[element] ?? leaf, next, true);
    if (kept !== undefined) (children ??= {})[element] = kept;
  }
  return combine(children, isBelow && isMember(set));
}

/** Calls `visit` with the elements of every path in the set. */
export function forEachPath(set: FieldSet, visit: (path: readonly string[]) => void): void {
  const path: string[] = [];
  const walk = (node: FieldSet): void => {
    if (path.length > 0 && isMember(node)) visit(path);
    for (const element in node) {
      if (element === '.') continue;
      path.push(element);
      walk(node[element] ?? leaf);
      path.pop();
    }
  };
  walk(set);
}

/** The JSON text of sets that many objects share. */
const texts = new WeakMap<FieldSet, string>();

/**
 * Keeps the text of an ordered set, so that it is written once for many objects, and freezes the
 * set for good; false when the text is longer than `longest`.
 */
export function keepText(set: FieldSet, longest: number): boolean {
  const text = JSON.stringify(set);
  if (text.length > longest) return false;
  freeze(set);
  texts.set(set, text);
  return true;
}

function freeze(set: FieldSet): void {
  for (const element in set) freeze(set[element] ?? leaf);
  Object.freeze(set);
}

/** The JSON text of a set that is shared; undefined for others. */
export function keptText(set: object): string | undefined {
  return texts.get(set as FieldSet);
}

/** The same set with its elements in the order of their texts; the same object when they are. */
export function inOrder(set: FieldSet): FieldSet {
  return texts.has(set) ? set : sorted(set);
}

function sorted(set: FieldSet): FieldSet {
  let last = '';
  let isSorted = true;
  let changed: Building | undefined;
  for (const element in set) {
    if (element < last) isSorted = false;
    last = element;
    const child = set[element] ?? leaf;
    const ordered = sorted(child);
    if (ordered !== child) (changed ??= { ...set })[element] = ordered;
  }
  const source: FieldSet = changed ?? set;
  if (isSorted) return source;
  const result: Building = {};
  for (const element of Object.keys(source).toSorted()) result[element] = source[element] ?? leaf;
  return result;
}

const elementForm = /^(?:\.|f:.*|v:.+|k:\{.*\}|i:-?[0-9]+)$/s;

/** Whether a value from outside has the form of a set. */
export function isFieldSet(value: unknown): value is FieldSet {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([element, child]) => elementForm.test(element) && isFieldSet(child),
  );
}
