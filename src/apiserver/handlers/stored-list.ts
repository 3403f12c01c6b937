import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '#base/errors.ts';
import type { KeyValue, ListResult } from '#store/mod.ts';
import { StoreError } from '#store/mod.ts';
import { expired, internalError } from '../api-errors.ts';
import type { CacheEntry, ListSlice, PrefixCache, Selection } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import { encodeContinue } from './continue-token.ts';

/** Items read at once. */
const pageItems = 500;
/** Items whose fields are looked at before other work gets a turn: a few milliseconds. */
const itemsPerTurn = 100;

const brace = 0x7b;

export interface StoredQuery {
  readonly selection: Selection;
  /** 0 for all. */
  readonly limit: number;
  /** Key without the prefix; entries from it on (inclusive) are listed. Empty for the start. */
  readonly start: string;
  /** State at this revision; absent for the newest there is. */
  readonly revision?: number | undefined;
}

/** A list and the revision that it shows. */
export interface StoredSlice extends ListSlice {
  readonly revision: number;
}

/**
 * A list from the store: of a state that is no longer in memory, or of a kind that never is. It is
 * read page by page, others get their turn in between. As upstream it ends once `limit` objects are
 * found, whether or not what follows is selected too.
 */
export async function listStored(
  core: Core,
  cache: PrefixCache,
  query: StoredQuery,
): Promise<StoredSlice> {
  const { selection, limit, start } = query;
  if (selection.name !== '' && (selection.namespace !== '' || !cache.namespaced)) {
    return await listOne(core, cache, query);
  }
  const inNamespace = cache.namespaced && selection.namespace !== '';
  const prefix = inNamespace ? `${cache.prefix}${selection.namespace}/` : cache.prefix;
  const isAll = selection.isPlain;
  const isPossible = cache.isComplete ? undefined : textsOf(selection);
  const entries: CacheEntry[] = [];
  let revision = 0;
  for await (const page of pagesOf(core, prefix, {
    after: start === '' ? '' : justBefore(cache.prefix + start),
    revision: query.revision,
    pageItems: isAll && limit > 0 ? Math.min(limit, pageItems) : pageItems,
    // with a selection nobody knows how many it takes
    limit: isAll ? limit : 0,
    start,
  })) {
    revision = page.revision;
    for (const [index, item] of page.items.entries()) {
      if (index % itemsPerTurn === 0) await nextTurn();
      if (isPossible?.(item) === false) continue;
      const entry = selected(core, cache, selection, item);
      if (entry === undefined) continue;
      entries.push(entry);
      if (entries.length !== limit) continue;
      const left = page.items.length - index - 1 + page.remaining;
      const remaining = isAll ? left : undefined;
      return { entries, hasMore: left > 0, remaining, revision };
    }
  }
  return { entries, hasMore: false, remaining: 0, revision };
}

/**
 * A look at the bytes alone: an object whose field must equal a value contains its text. Undefined
 * where that cannot be told, as a value may be an absent field's or be written in several ways.
 */
function textsOf({ exactFields }: Selection): ((item: KeyValue) => boolean) | undefined {
  const texts = Object.values(exactFields)
    .filter(isWrittenOneWay)
    .map((text) => Buffer.from(text));
  if (texts.length === 0) return undefined;
  return ({ value }) => value[0] !== brace || texts.every((text) => value.includes(text));
}

function isWrittenOneWay(text: string): boolean {
  return /^[\w.-]+$/.test(text) && /[a-z]/i.test(text) && text !== 'true' && text !== 'false';
}

/** One object by name, at the revision or now. */
async function listOne(core: Core, cache: PrefixCache, query: StoredQuery): Promise<StoredSlice> {
  const { selection, start } = query;
  const key = cache.keyOf(selection.namespace, selection.name);
  const pages = pagesOf(core, key, { revision: query.revision, pageItems: 1, limit: 1, start });
  for await (const { items, revision } of pages) {
    const item = items.find((found) => found.key === key);
    const isIn = item !== undefined && key.slice(cache.prefix.length) >= start;
    const entry = isIn ? selected(core, cache, selection, item) : undefined;
    const entries = entry === undefined ? [] : [entry];
    return { entries, hasMore: false, remaining: 0, revision };
  }
  throw internalError(`the datastore said nothing about ${key}`);
}

/**
 * The entry of an item that is selected. What nobody can read is left out and logged, as the cache
 * does it; what cannot be decrypted fails the list.
 */
function selected(
  core: Core,
  cache: PrefixCache,
  selection: Selection,
  { key, value, modRevision }: KeyValue,
): CacheEntry | undefined {
  try {
    const entry = cache.storedEntry(key, value, modRevision);
    return selection.isPlain || selection.matches(entry) ? entry : undefined;
  } catch (error) {
    throwIfSealed(core, key);
    core.log.error('Stored object cannot be read', { key, error: messageOf(error) });
    return undefined;
  }
}

/** Throws upstream's error when the value of this key could not be decrypted. */
export function throwIfSealed(core: Core, key: string): void {
  const problem = core.encryption?.problemOf(key);
  if (problem !== undefined) throw internalError(problem);
}

/** Pages start after a key: the last one that comes before `key`, or near enough. */
function justBefore(key: string): string {
  if (key.endsWith('\0')) return key.slice(0, -1);
  const code = key.charCodeAt(key.length - 1);
  return `${key.slice(0, -1)}${String.fromCharCode(code - 1)}\u{10ffff}`;
}

async function* pagesOf(
  core: Core,
  prefix: string,
  options: {
    after?: string;
    revision: number | undefined;
    pageItems: number;
    limit: number;
    start: string;
  },
): AsyncGenerator<ListResult> {
  const { start, ...wanted } = options;
  try {
    yield* core.backend.pages(prefix, wanted);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'Compacted') throw error;
    if (start === '') throw expired('The resourceVersion for the provided list is too old.');
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      encodeContinue({ revision: -1, start }),
    );
  }
}
