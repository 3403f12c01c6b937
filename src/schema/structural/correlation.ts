import { jsonEqual } from '../patch/json-equal.ts';
import type { Structural } from './structural.ts';

/** Stands for a place that has no counterpart in the stored object. */
export const unrelated: unique symbol = Symbol('unrelated');

type Json = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The counterpart of a field or map value. */
export function fieldOfOld(old: unknown, key: string): unknown {
  if (!isMap(old) || !Object.hasOwn(old, key)) return unrelated;
  return old[key];
}

/**
 * Finds the counterparts of list items: by their keys for lists of type map, none for others, whose
 * items have no identity. Of items with the same keys none is told apart, as upstream.
 */
export function itemLookup(schema: Structural, old: unknown): (item: unknown) => unknown {
  if (schema.listType !== 'map' || !Array.isArray(old)) return () => unrelated;
  const keys = mapKeysOf(schema);
  let byKeys: Map<string, unknown> | undefined;
  return (item) => {
    if (byKeys === undefined) {
      byKeys = new Map();
      for (const one of old) {
        const identity = identityOf(one, keys);
        if (identity !== undefined && !byKeys.has(identity)) byKeys.set(identity, one);
      }
    }
    const identity = identityOf(item, keys);
    return identity !== undefined && byKeys.has(identity) ? byKeys.get(identity) : unrelated;
  };
}

interface MapKey {
  readonly name: string;
  readonly defaultValue: unknown;
}

function mapKeysOf(schema: Structural): readonly MapKey[] {
  return schema.listMapKeys.map((name) => ({
    name,
    defaultValue: schema.items?.properties?.get(name)?.defaultValue,
  }));
}

function identityOf(item: unknown, keys: readonly MapKey[]): string | undefined {
  if (!isMap(item)) return undefined;
  return JSON.stringify(keys.map(({ name, defaultValue }) => item[name] ?? defaultValue ?? null));
}

/**
 * Whether a place did not change, as upstream sees it: lists of type map in any order, and a map
 * with a field that its schema does not know never.
 */
export function isSame(value: unknown, old: unknown, schema: Structural): boolean {
  if (old === unrelated) return false;
  if (Array.isArray(value) && Array.isArray(old)) return isSameList(value, old, schema);
  if (!isMap(value) || !isMap(old)) return jsonEqual(value, old);
  const keys = Object.keys(value);
  if (keys.length !== Object.keys(old).length) return false;
  return keys.every((key) => {
    const below = schema.properties?.get(key) ?? schema.additional;
    return typeof below === 'object' && isSame(value[key], fieldOfOld(old, key), below);
  });
}

function isSameList(
  list: readonly unknown[],
  old: readonly unknown[],
  schema: Structural,
): boolean {
  if (list.length !== old.length) return false;
  const { items } = schema;
  if (schema.listType !== 'map' || items === undefined) return jsonEqual(list, old);
  const find = itemLookup(schema, old);
  return list.every((item) => isSame(item, find(item), items));
}
