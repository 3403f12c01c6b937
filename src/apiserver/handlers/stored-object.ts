import type { UnknownObject } from '#schema/mod.ts';
import { conform } from '#schema/mod.ts';
import type { CacheEntry } from '../cache/mod.ts';
import type { ServedResource } from '../resource-registry.ts';
import { servedObject } from '../resource-registry.ts';

/** Entries that others wrote and that were looked at, with their object where it had to change. */
const checked = new WeakMap<CacheEntry, UnknownObject | undefined>();

/**
 * What a write starts from: the object as it is served, without fields that its kind does not
 * have. Upstream drops those when it reads from its store. Only entries that this process did not
 * make are looked at, and each of them once.
 */
export function storedObject(served: ServedResource, entry: CacheEntry): UnknownObject {
  const object = servedObject(served, entry);
  if (entry.isOwn || served.custom !== undefined || served.info.typeName === '') return object;
  if (checked.has(entry)) return checked.get(entry) ?? object;
  const conformed = conform(object, served.info.typeName, 'Ignore').object;
  checked.set(entry, conformed === object ? undefined : conformed);
  return conformed;
}
