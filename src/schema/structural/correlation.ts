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

export function isSame(value: unknown, old: unknown): boolean {
  return old !== unrelated && jsonEqual(value, old);
}
