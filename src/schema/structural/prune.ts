import type { Structural } from './structural.ts';
import { hasDefault } from './structural.ts';

type Json = Record<string, unknown>;

/** Where in an object a walk is: field names, map keys and indexes. */
type Path = Array<string | number>;

const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Removes fields that the schema does not name, and nulls that it neither allows nor replaces by a
 * default. What stays the same is shared with `object`, which is not changed; it is returned itself
 * when nothing has to go. `onUnknown` hears the path of each removed field, in order of their names.
 */
export function pruneObject<T extends object>(
  object: T,
  schema: Structural,
  onUnknown?: (path: string) => void,
): T {
  const found: string[] | undefined = onUnknown === undefined ? undefined : [];
  const pruned = pruneMap(
    object as unknown as Json,
    schema,
    [],
    found,
    schema.preservesUnknown,
    true,
  );
  if (onUnknown !== undefined && found !== undefined)
    for (const path of found.sort()) onUnknown(path);
  return pruned as unknown as T;
}

function prune(
  value: unknown,
  schema: Structural | undefined,
  path: Path,
  found: string[] | undefined,
  keeps = schema?.preservesUnknown === true,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (schema !== undefined && schema.isOpen && !schema.isEmbedded) return value;
  if (Array.isArray(value)) return pruneList(value, schema, path, found, keeps);
  return pruneMap(value as Json, schema, path, found, keeps);
}

function pruneList(
  list: readonly unknown[],
  schema: Structural | undefined,
  path: Path,
  found: string[] | undefined,
  keeps: boolean,
): readonly unknown[] {
  const items = schema?.items;
  // a list that keeps everything hands that on to its items
  if (items === undefined && keeps) return list;
  let result: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const before = list[index];
    if (typeof before !== 'object' || before === null) continue;
    path.push(index);
    const after = prune(before, items, path, found, keeps || items?.preservesUnknown === true);
    path.pop();
    if (after !== before) (result ??= list.slice())[index] = after;
  }
  return result ?? list;
}

function pruneMap(
  map: Json,
  schema: Structural | undefined,
  path: Path,
  found: string[] | undefined,
  keeps: boolean,
  hasMeta = schema?.isEmbedded === true,
): Json {
  let result: Json | undefined;
  for (const key in map) {
    if (hasMeta && metaFields.has(key)) continue;
    const before = map[key];
    const property = schema?.properties?.get(key);
    if (property !== undefined) {
      if (before === null) {
        if (mayBeNull(property)) continue;
        result ??= { ...map };
        delete result[key];
        continue;
      }
      if (typeof before !== 'object') continue;
      path.push(key);
      const after = prune(before, property, path, found);
      path.pop();
      if (after !== before) (result ??= { ...map })[key] = after;
      continue;
    }
    const additional = schema?.additional;
    if (additional !== undefined) {
      if (before === null && typeof additional === 'object' && !mayBeNull(additional)) {
        result ??= { ...map };
        delete result[key];
        continue;
      }
      if (typeof before !== 'object' || before === null) continue;
      const inside = typeof additional === 'object' ? additional : undefined;
      path.push(key);
      const after = prune(before, inside, path, found);
      path.pop();
      if (after !== before) (result ??= { ...map })[key] = after;
      continue;
    }
    if (keeps) continue;
    result ??= { ...map };
    delete result[key];
    found?.push(renderPath(path, key));
  }
  return result ?? map;
}

/** A null that is not allowed stays when a default will take its place. */
function mayBeNull(node: Structural): boolean {
  return node.nullable || hasDefault(node);
}

function renderPath(path: Path, last: string): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text === '' ? last : `${text}.${last}`;
}
