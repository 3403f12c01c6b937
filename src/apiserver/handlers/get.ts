import { badRequest, methodNotAllowed, notFound } from '../api-errors.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import type { ServedResource } from '../resource-registry.ts';
import { reachVersion, waitForNewest } from './freshness.ts';
import { readRevision } from './list-options.ts';
import { throwIfSealed } from './stored-list.ts';

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
  if (revision !== undefined) await reachVersion(core, cache, revision);
  else if (core.backend.exclusive) await waitForNewest(core);
  const key = cache.keyOf(namespace, name);
  const isNewest = revision === undefined && !core.backend.exclusive;
  const entry = isNewest ? await readThrough(core, cache, key) : await knownEntry(core, cache, key);
  if (entry === undefined) throw notFound(served.info, name);
  return entry;
}

/** From where the kind is kept, as new as the memory is or newer. */
async function knownEntry(
  core: Core,
  cache: PrefixCache,
  key: string,
): Promise<CacheEntry | undefined> {
  const entry = cache.get(key);
  return entry !== undefined || cache.isComplete ? entry : await readThrough(core, cache, key);
}

/**
 * What a write starts from; past the cache when it holds only the latest changes, or another
 * process may have made the object just now.
 */
export async function currentEntry(
  core: Core,
  cache: PrefixCache,
  key: string,
): Promise<CacheEntry | undefined> {
  const entry = cache.get(key);
  if (entry !== undefined || (core.backend.exclusive && cache.isComplete)) return entry;
  return await readThrough(core, cache, key);
}

/** Asks the store itself: it has what is not in memory, and other processes write there too. */
export async function readThrough(
  core: Core,
  cache: PrefixCache,
  key: string,
): Promise<CacheEntry | undefined> {
  const stored = await core.backend.get(key);
  if (stored === undefined) return undefined;
  const cached = cache.get(key);
  if (cached?.revision === stored.modRevision) return cached;
  try {
    return cache.entryFrom(key, stored.value, stored.modRevision);
  } catch (error) {
    throwIfSealed(core, key);
    throw error;
  }
}
