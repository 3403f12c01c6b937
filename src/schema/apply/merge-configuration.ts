import { K3tsError } from '#base/errors.ts';
import type { UnknownObject } from '../object.ts';
import { isFields } from '../patch/patch-errors.ts';
import type { TypeLookup } from '../patch/type-lookup.ts';
import { typeTable } from '../type-table/type-table.ts';
import { checkTyped } from './check-typed.ts';
import { mergeApplied } from './merge-applied.ts';
import type { Shape } from './shape.ts';
import { deducedShape, shapesOf } from './shape.ts';

/**
 * Lays a partial object over a live one by the types of its lists and maps, without owners: what a
 * mutating policy does. The result shares parts with both. Throws K3tsError InvalidConfiguration
 * for lists and maps that can only be replaced as a whole, InvalidTyped for what does not fit its
 * type.
 */
export function mergeConfiguration(options: {
  live: UnknownObject;
  applied: Readonly<Record<string, unknown>>;
  typeName: string;
  /** Where the type of a custom resource is known; the built-in types otherwise. */
  types?: TypeLookup | undefined;
}): UnknownObject {
  const { live, applied, typeName, types = typeTable } = options;
  const shape = shapesOf(types).root(typeName);
  const atomic = atomicPaths(applied, shape, '');
  if (atomic.length > 0) {
    const text = `may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`;
    throw new K3tsError('InvalidConfiguration', text);
  }
  checkTyped(applied, shape);
  return mergeApplied(live, applied, shape) as UnknownObject;
}

/** Where the value holds lists or maps that are one value to their owners. */
function atomicPaths(value: unknown, shape: Shape, path: string): string[] {
  if (Array.isArray(value)) {
    if (shape.kind === 'leaf' || shape.kind === 'deduced') return [path];
    if (shape.kind !== 'list-map') return [];
    return value.flatMap((item, index) => atomicPaths(item, shape.item, `${path}[${index}]`));
  }
  if (!isFields(value)) return [];
  if (shape.kind === 'leaf') return [path];
  return Object.entries(value).flatMap(([key, field]) =>
    atomicPaths(field, below(shape, key), `${path}.${key}`),
  );
}

function below(shape: Shape, key: string): Shape {
  if (shape.kind === 'struct') return shape.field(key)?.shape ?? deducedShape;
  return shape.kind === 'map' ? shape.value : shape;
}
