import type { Structural } from './structural.ts';
import { hasDefault } from './structural.ts';

type Json = Record<string, unknown>;

/**
 * Fills in what the schema's defaults say: for absent fields, and for nulls where none are allowed.
 * Parts that stay the same are shared with `value`, which is not changed; defaults are copied.
 */
export function applySchemaDefaults<T>(value: T, schema: Structural): T {
  return schema.hasDefaults ? (visit(value, schema) as T) : value;
}

function visit(value: unknown, schema: Structural): unknown {
  if (typeof value !== 'object' || value === null || !schema.hasDefaults) return value;
  return Array.isArray(value) ? visitList(value, schema) : visitMap(value as Json, schema);
}

function visitList(list: readonly unknown[], { items }: Structural): readonly unknown[] {
  if (items === undefined) return list;
  let result: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const before = list[index];
    const after = visit(isNullWithoutRight(before, items) ? copyOf(items) : before, items);
    if (after !== before) (result ??= list.slice())[index] = after;
  }
  return result ?? list;
}

function visitMap(map: Json, schema: Structural): Json {
  let result: Json | undefined;
  for (const [name, property] of schema.defaulted) {
    const before = map[name];
    if (before !== undefined && !isNullWithoutRight(before, property)) continue;
    (result ??= { ...map })[name] = copyOf(property);
  }
  const { properties, additional } = schema;
  const now = result ?? map;
  for (const key in now) {
    const before = now[key];
    const property = properties?.get(key);
    let after = before;
    if (property !== undefined) {
      if (typeof before !== 'object' || before === null || !property.hasDefaults) continue;
      after = visit(before, property);
    } else if (typeof additional === 'object') {
      after = visit(
        isNullWithoutRight(before, additional) ? copyOf(additional) : before,
        additional,
      );
    }
    if (after !== before) (result ??= { ...map })[key] = after;
  }
  return result ?? map;
}

function isNullWithoutRight(value: unknown, schema: Structural): boolean {
  return value === null && !schema.nullable;
}

/** A fresh copy of the default; null where there is none, as upstream leaves it. */
function copyOf(schema: Structural): unknown {
  return hasDefault(schema) ? copyValue(schema.defaultValue) : null;
}

function copyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyValue);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyValue(part)]));
}
