import { isFields } from '../patch/patch-errors.ts';
import type { FieldSet } from './fields-v1.ts';
import { isEmptySet, leaf } from './fields-v1.ts';
import { itemElement, valueElement } from './list-key.ts';
import type { FieldShape, Shape, StructShape } from './shape.ts';
import { deducedShape } from './shape.ts';

type Building = Record<string, FieldSet>;

/** Whether a field held by value in Go has the value that is not written. */
export function isZero(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}

/** Whether a value other than null is written at all: zeros held by value may not be. */
export function isWritten(value: unknown, field: FieldShape | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (field === undefined || !field.isValue || field.isAlwaysWritten) return true;
  return !isZero(value);
}

/** All paths of a value that came or went as a whole, those of objects and lists included. */
export function allPaths(value: unknown, shape: Shape): FieldSet {
  if (shape.kind === 'leaf' || typeof value !== 'object' || value === null) return leaf;
  const node: Building = { '.': leaf };
  if (Array.isArray(value)) {
    if (shape.kind === 'set') for (const item of value) node[valueElement(item)] = leaf;
    else if (shape.kind === 'list-map') {
      for (const item of value) node[itemElement(item, shape)] = allPaths(item, shape.item);
    }
  } else if (shape.kind === 'struct') addFields(node, value as Building, shape, allPaths);
  else if (shape.kind === 'map' || shape.kind === 'deduced') {
    const inside = shape.kind === 'map' ? shape.value : deducedShape;
    for (const key in value) {
      const item = (value as Record<string, unknown>)[key];
      if (item !== undefined) node[`f:${key}`] = allPaths(item, inside);
    }
  }
  for (const element in node) if (element !== '.') return node;
  return leaf;
}

function addFields(
  node: Building,
  value: Readonly<Record<string, unknown>>,
  shape: StructShape,
  pathsOf: (value: unknown, shape: Shape) => FieldSet | undefined,
): void {
  for (const key in value) {
    const field = shape.field(key);
    if (field?.shape.kind === 'skipped') continue;
    const item = value[key];
    if (item !== null && !isWritten(item, field)) continue;
    const below = pathsOf(item, field?.shape ?? deducedShape);
    if (below !== undefined) node[field?.element ?? `f:${key}`] = below;
  }
}

/**
 * The paths that someone who applies this object gets to own: leaves, entries of maps and items of
 * lists; objects only when they are empty.
 */
export function appliedPaths(
  object: Readonly<Record<string, unknown>>,
  shape: StructShape,
): FieldSet {
  const node: Building = {};
  for (const key in object) {
    const field = shape.field(key);
    const item = object[key];
    if (field?.shape.kind === 'skipped' || item === undefined) continue;
    const below = appliedBelow(item, field?.shape ?? deducedShape, field === undefined);
    if (below !== undefined) node[field?.element ?? `f:${key}`] = below;
  }
  return node;
}

/** `isEntry`: the path itself belongs to the set, as for map entries and list items. */
function appliedBelow(value: unknown, shape: Shape, isEntry: boolean): FieldSet | undefined {
  if (value === null || shape.kind === 'leaf' || typeof value !== 'object') return leaf;
  const node: Building = {};
  if (Array.isArray(value)) {
    if (shape.kind === 'set') for (const item of value) node[valueElement(item)] = leaf;
    else if (shape.kind === 'list-map') {
      for (const item of value) {
        node[itemElement(item, shape)] = appliedBelow(item, shape.item, true) ?? leaf;
      }
    } else return leaf;
    if (isEmptySet(node)) return isEntry ? leaf : undefined;
  } else {
    addApplied(node, value as Record<string, unknown>, shape);
    if (isEmptySet(node))
      return isFields(value) && Object.keys(value).length === 0 ? leaf : undefined;
  }
  return isEntry ? { '.': leaf, ...node } : node;
}

function addApplied(node: Building, value: Record<string, unknown>, shape: Shape): void {
  if (shape.kind === 'struct') {
    Object.assign(node, appliedPaths(value, shape));
    return;
  }
  const inside = shape.kind === 'map' ? shape.value : deducedShape;
  for (const key in value) {
    const item = value[key];
    if (item !== undefined) node[`f:${key}`] = appliedBelow(item, inside, true) ?? leaf;
  }
}
