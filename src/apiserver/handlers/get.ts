import { badRequest, methodNotAllowed, notFound } from '../api-errors.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import type { ServedResource } from '../resource-registry.ts';
import { waitForAtLeast, waitForNewest } from './freshness.ts';
import { readRevision } from './list-options.ts';

/** The cache of a resource, loaded; throws MethodNotAllowed for kinds that are never stored. */
export async function readyCache(
  core: Core,
  served: ServedResource,
  action: string,
): Promise<PrefixCache> {
  const { cache } = served;
  if (cache === undefined) throw methodNotAllowed(served.info, action);
  await core.store.ready(cache);
  return cache;
}

/** Throws BadRequest for a name that could never be part of a key. */
export function checkPathName(name: string): void {
  const problem =
    name === '.' || name === '..'
      ? `may not be '${name}'`
      : ['/', '%']
          .filter((character) => name.includes(character))
          .map((character) => `may not contain '${character}'`)
          .join(';');
  if (problem !== '') {
    throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${problem}`);
  }
}

/**
 * One object by name. Without a resourceVersion it is as new as anything acknowledged before;
 * with one, not older than that (0: whatever is at hand). Throws NotFound.
 */
export async function getObject(
  core: Core,
  served: ServedResource,
  namespace: string,
  name: string,
  resourceVersion = '',
): Promise<CacheEntry> {
  checkPathName(name);
  const cache = await readyCache(core, served, 'get');
  const revision = readRevision(resourceVersion, 'get');
  if (revision !== undefined) await waitForAtLeast(core, revision);
  else if (core.backend.exclusive) await waitForNewest(core);
  const key = cache.keyOf(namespace, name);
  const entry =
    revision === undefined && !core.backend.exclusive
      ? await readThrough(core, cache, key)
      : cache.get(key);
  if (entry === undefined) throw notFound(served.info, name);
  return entry;
}

/** What a write starts from; past the cache when another process may have made it just now. */
export async function currentEntry(
  core: Core,
  cache: PrefixCache,
  key: string,
): Promise<CacheEntry | undefined> {
  const entry = cache.get(key);
  if (entry !== undefined || core.backend.exclusive) return entry;
  return await readThrough(core, cache, key);
}

/** Asks the store itself: other processes write there too. */
export async function readThrough(
  core: Core,
  cache: PrefixCache,
  key: string,
): Promise<CacheEntry | undefined> {
  const stored = await core.backend.get(key);
  if (stored === undefined) return undefined;
  const cached = cache.get(key);
  if (cached?.revision === stored.modRevision) return cached;
  return cache.entryFrom(key, stored.value, stored.modRevision);
}
