import { badRequest } from '../api-errors.ts';
import type { CacheEntry, PrefixCache, Selection } from '../cache/mod.ts';
import { listEntries } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import type { ServedResource } from '../resource-registry.ts';
import type { ContinuePoint } from './continue-token.ts';
import { decodeContinue, encodeContinue, pointAfter } from './continue-token.ts';
import { reachVersion, waitForNewest } from './freshness.ts';
import { readyCache } from './get.ts';
import type { ListOptions } from './list-options.ts';
import { checkListOptions, readRevision, selectionOf } from './list-options.ts';
import type { StoredSlice } from './stored-list.ts';
import { listStored } from './stored-list.ts';

/** Entries of one page and what the list's metadata says of it. */
export interface ListPage {
  readonly entries: readonly CacheEntry[];
  readonly revision: number;
  /** Empty on the last page. */
  readonly continueToken: string;
  readonly remainingItemCount: number | undefined;
}

/**
 * A list by upstream's rules for resourceVersion, its match, limit and continue: all pages show the
 * state of the first, or the client gets 410 with a token that goes on without that promise.
 */
export async function listObjects(
  core: Core,
  served: ServedResource,
  namespace: string,
  name: string,
  options: ListOptions,
): Promise<ListPage> {
  checkListOptions(options, false);
  const cache = await readyCache(core, served, 'list');
  const selection = selectionOf(served, options, namespace, name);
  const { continueToken, limit } = options;
  if (continueToken !== '') {
    const point = decodeContinue(continueToken);
    if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    if (point.revision > 0) return await listAt(core, cache, selection, limit, point);
    return page(cache, await listNewest(core, cache, selection, limit, point.start));
  }
  const revision = readRevision(options.resourceVersion, 'list');
  const { resourceVersionMatch: match } = options;
  const isExact = match === 'Exact' || (match === '' && limit > 0 && (revision ?? 0) > 0);
  if (isExact && revision !== undefined) {
    return await listAt(core, cache, selection, limit, { revision, start: '' });
  }
  if (revision === undefined) {
    return page(cache, await listNewest(core, cache, selection, limit, ''));
  }
  await reachVersion(core, cache, revision);
  // whatever is at hand is all at hand: upstream does not cut it either, but where it asks the store
  const cut = revision === 0 && cache.isComplete ? 0 : limit;
  return page(cache, await listKept(core, cache, selection, cut, ''));
}

/** What every change acknowledged before this call left. */
export async function listNewest(
  core: Core,
  cache: PrefixCache,
  selection: Selection,
  limit: number,
  start: string,
): Promise<StoredSlice> {
  if (cache.isComplete) await waitForNewest(core);
  return await listKept(core, cache, selection, limit, start);
}

/** From where the kind is kept: the memory as it is, or the store, which is never behind it. */
export async function listKept(
  core: Core,
  cache: PrefixCache,
  selection: Selection,
  limit: number,
  start: string,
): Promise<StoredSlice> {
  if (!cache.isComplete) return await listStored(core, cache, { selection, limit, start });
  const revision = core.cache.appliedRevision;
  return { ...listEntries(cache, { selection, limit, start }), revision };
}

async function listAt(
  core: Core,
  cache: PrefixCache,
  selection: Selection,
  limit: number,
  { revision, start }: ContinuePoint,
): Promise<ListPage> {
  await reachVersion(core, cache, revision);
  const query = { selection, limit, start, revision };
  return page(
    cache,
    cache.isComplete && revision >= cache.ring.lowestRevision
      ? { ...listEntries(cache, query), revision }
      : await listStored(core, cache, query),
  );
}

function page(cache: PrefixCache, slice: StoredSlice): ListPage {
  const { revision } = slice;
  const last = slice.entries[slice.entries.length - 1];
  const isPartial = slice.hasMore && last !== undefined;
  return {
    entries: slice.entries,
    revision,
    continueToken: isPartial
      ? encodeContinue(pointAfter(revision, last.key.slice(cache.prefix.length)))
      : '',
    remainingItemCount: isPartial ? slice.remaining : undefined,
  };
}
