import { ErrorList } from '../validation/error-list.ts';
import type { FieldError } from '../field-error.ts';
import type { FieldPath } from '../validation/field-path.ts';
import { rootPath } from '../validation/field-path.ts';
import { isMap } from './correlation.ts';
import type { Structural } from './structural.ts';

/** Repeated items of lists that are sets, repeated keys of lists that are maps. */
export function validateListTypes(value: unknown, schema: Structural): FieldError[] {
  const errors = new ErrorList();
  if (schema.hasListTypes) visit(errors, rootPath, value, schema);
  return errors.errors;
}

function visit(errors: ErrorList, path: FieldPath, value: unknown, schema: Structural): void {
  if (typeof value !== 'object' || value === null || !schema.hasListTypes) return;
  if (Array.isArray(value)) {
    if (schema.listType === 'set') checkSet(errors, path, value);
    if (schema.listType === 'map') checkKeys(errors, path, value, schema);
    const { items } = schema;
    if (items === undefined || !items.hasListTypes) return;
    value.forEach((item: unknown, index) => visit(errors, path.at(index), item, items));
    return;
  }
  const { properties, additional } = schema;
  const map = value as Record<string, unknown>;
  for (const key in map) {
    const property = properties?.get(key);
    if (property !== undefined) visit(errors, path.child(key), map[key], property);
    else if (typeof additional === 'object') visit(errors, path.key(key), map[key], additional);
  }
}

/** A text that is the same for equal JSON values. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isMap(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function checkSet(errors: ErrorList, path: FieldPath, list: readonly unknown[]): void {
  const seen = new Set<string>();
  const told = new Set<string>();
  list.forEach((item, index) => {
    const text = canonical(item);
    // the second is reported, further ones are not: as upstream
    if (seen.has(text) && !told.has(text)) {
      told.add(text);
      errors.duplicate(path, index, item);
    }
    seen.add(text);
  });
}

function checkKeys(
  errors: ErrorList,
  path: FieldPath,
  list: readonly unknown[],
  { listMapKeys, items }: Structural,
): void {
  const seen = new Set<string>();
  const told = new Set<string>();
  list.forEach((item, index) => {
    if (!isMap(item)) return;
    const keys: Record<string, unknown> = {};
    for (const name of listMapKeys) {
      const value = item[name] ?? items?.properties?.get(name)?.defaultValue;
      if (value !== undefined) keys[name] = value;
    }
    const text = canonical(keys);
    if (seen.has(text) && !told.has(text)) {
      told.add(text);
      errors.duplicate(path, index, keys);
    }
    seen.add(text);
  });
}
