import type { UnknownObject } from '#schema/mod.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import { storedVersionOf } from '../cache/mod.ts';

/** The entry that a write would have made, for dryRun: nothing is stored. */
export function trialEntry(
  cache: PrefixCache,
  key: string,
  object: UnknownObject,
  revision: number,
): CacheEntry {
  object.kind = cache.layout.kind;
  object.apiVersion = storedVersionOf(cache.layout, object);
  if (revision > 0) object.metadata.resourceVersion = String(revision);
  else delete object.metadata.resourceVersion;
  const bytes =
    revision > 0
      ? cache.layout.encode(object).bytes(revision)
      : Buffer.from(JSON.stringify(object));
  const entry = cache.entryOf(key, bytes, revision, object);
  entry.remember(object);
  return entry;
}
