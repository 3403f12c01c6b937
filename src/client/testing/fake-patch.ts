import { applyPatch } from 'rfc6902';
import { ApiStatusError } from '#base/api-status-error.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { Patch } from '../client.ts';

/** Keys by which strategic patches merge lists of objects. */
const listKeys = ['type', 'name', 'uid', 'key', 'ip'] as const;
const listDeletion = '$deleteFromPrimitiveList/';

/** A patched copy. Strategic and apply are good enough for tests, not upstream's full rules. */
export function patched(live: UnknownObject, patch: Patch): UnknownObject {
  const copy = structuredClone(live);
  if (patch.type === 'json') {
    const failures = applyPatch(copy, patch.body as Parameters<typeof applyPatch>[1]);
    const failed = failures.find((failure) => failure !== null);
    if (failed !== undefined) {
      throw new ApiStatusError({ httpCode: 422, reason: 'Invalid', message: failed.message });
    }
    return copy;
  }
  return merge(copy, patch.body, patch.type !== 'merge') as UnknownObject;
}

function merge(target: unknown, patch: unknown, isStrategic: boolean): unknown {
  if (Array.isArray(patch) && Array.isArray(target) && isStrategic) {
    return mergeList(target, patch);
  }
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    return structuredClone(patch);
  }
  const isMap = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isMap ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (key.startsWith(listDeletion) && isStrategic && Array.isArray(value)) {
      const field = key.slice(listDeletion.length);
      const items = result[field];
      if (Array.isArray(items)) result[field] = items.filter((item) => !value.includes(item));
      continue;
    }
    if (key.startsWith('$')) continue;
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value, isStrategic);
  }
  return result;
}

function mergeList(target: unknown[], patch: unknown[]): unknown[] {
  const isObject = (item: unknown): item is Record<string, unknown> =>
    typeof item === 'object' && item !== null;
  const first = patch.find(isObject);
  if (first === undefined) return [...new Set([...target, ...patch])];
  const key = listKeys.find((name) => name in first);
  if (key === undefined) return structuredClone(patch);
  const result = [...target];
  for (const item of patch.filter(isObject)) {
    const at = result.findIndex((other) => isObject(other) && other[key] === item[key]);
    if (item['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at >= 0) result[at] = merge(result[at], item, true);
    else result.push(structuredClone(item));
  }
  return result;
}
