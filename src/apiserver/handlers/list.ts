import type { ListResult } from '#store/mod.ts';
import { StoreError } from '#store/mod.ts';
import { badRequest, expired } from '../api-errors.ts';
import type { CacheEntry, ListSlice, PrefixCache, Selection } from '../cache/mod.ts';
import { listEntries } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import type { ServedResource } from '../resource-registry.ts';
import type { ContinuePoint } from './continue-token.ts';
import { decodeContinue, encodeContinue, pointAfter } from './continue-token.ts';
import { waitForAtLeast, waitForNewest } from './freshness.ts';
import { readyCache } from './get.ts';
import type { ListOptions } from './list-options.ts';
import { checkListOptions, readRevision, selectionOf } from './list-options.ts';

/** Items read at once from a state that is no longer in memory. */
const historyPageItems = 500;

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
    await waitForNewest(core);
    return page(
      core,
      cache,
      listEntries(cache, { selection, limit, start: point.start }),
      undefined,
    );
  }
  const revision = readRevision(options.resourceVersion, 'list');
  const { resourceVersionMatch: match } = options;
  const isExact = match === 'Exact' || (match === '' && limit > 0 && (revision ?? 0) > 0);
  if (isExact && revision !== undefined) {
    return await listAt(core, cache, selection, limit, { revision, start: '' });
  }
  if (revision === undefined) await waitForNewest(core);
  else await waitForAtLeast(core, revision);
  // whatever is at hand is all at hand: upstream does not cut it either
  const cut = revision === 0 ? 0 : limit;
  return page(core, cache, listEntries(cache, { selection, limit: cut, start: '' }), undefined);
}

async function listAt(
  core: Core,
  cache: PrefixCache,
  selection: Selection,
  limit: number,
  point: ContinuePoint,
): Promise<ListPage> {
  const { revision, start } = point;
  await waitForAtLeast(core, revision);
  const slice =
    revision >= cache.ring.lowestRevision
      ? listEntries(cache, { selection, limit, start, revision })
      : await listHistory(core, cache, selection, limit, point);
  return page(core, cache, slice, revision);
}

/** A state that only the store still knows; read in pages of what is asked for. */
async function listHistory(
  core: Core,
  cache: PrefixCache,
  selection: Selection,
  limit: number,
  { revision, start }: ContinuePoint,
): Promise<ListSlice> {
  const inNamespace = cache.namespaced && selection.namespace !== '';
  const prefix = inNamespace ? `${cache.prefix}${selection.namespace}/` : cache.prefix;
  const entries: CacheEntry[] = [];
  let after = start === '' ? '' : justBefore(cache.prefix + start);
  for (;;) {
    const page = await historyPage(core, prefix, after, { revision, start });
    for (const [index, item] of page.items.entries()) {
      const entry = cache.entryFrom(item.key, item.value, item.modRevision);
      if (!selection.matches(entry)) continue;
      if (limit > 0 && entries.length === limit) {
        const left = page.items.length - index + page.remaining;
        return { entries, hasMore: true, remaining: selection.isPlain ? left : undefined };
      }
      entries.push(entry);
    }
    const last = page.items.at(-1);
    if (page.remaining === 0 || last === undefined) break;
    after = last.key;
  }
  return { entries, hasMore: false, remaining: 0 };
}

/** Pages start after a key: the last one that comes before `key`, or near enough. */
function justBefore(key: string): string {
  if (key.endsWith('\0')) return key.slice(0, -1);
  const code = key.charCodeAt(key.length - 1);
  return `${key.slice(0, -1)}${String.fromCharCode(code - 1)}\u{10ffff}`;
}

async function historyPage(
  core: Core,
  prefix: string,
  after: string,
  { revision, start }: ContinuePoint,
): Promise<ListResult> {
  try {
    return await core.backend.list(prefix, { revision, after, limit: historyPageItems });
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'Compacted') throw error;
    if (start === '') throw expired('The resourceVersion for the provided list is too old.');
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      encodeContinue({ revision: -1, start }),
    );
  }
}

function page(
  core: Core,
  cache: PrefixCache,
  slice: ListSlice,
  atRevision: number | undefined,
): ListPage {
  const revision = atRevision ?? core.cache.appliedRevision;
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
