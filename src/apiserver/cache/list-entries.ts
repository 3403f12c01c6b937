import type { CacheEntry } from './entry.ts';
import type { PrefixCache } from './prefix-cache.ts';
import type { Selection } from './selection.ts';

export interface ListQuery {
  selection: Selection;
  /** 0 for all. */
  limit: number;
  /** Key without the prefix; entries from it on (inclusive) are listed. Empty for the start. */
  start: string;
  /** State at this revision; absent for the newest. Must lie within the ring. */
  revision?: number | undefined;
}

export interface ListSlice {
  readonly entries: readonly CacheEntry[];
  /** Whether more follow after the last entry. */
  readonly hasMore: boolean;
  /** How many follow; unknown when labels or fields are selected. */
  readonly remaining: number | undefined;
}

/** Entries in key order, without waiting. */
export function listEntries(cache: PrefixCache, query: ListQuery): ListSlice {
  const { revision } = query;
  if (revision !== undefined && revision < newestRevision(cache)) return listPast(cache, query);
  const { selection, limit, start } = query;
  if (selection.name !== '' && (selection.namespace !== '' || !cache.namespaced)) {
    return listOne(cache, query);
  }
  const entries: CacheEntry[] = [];
  const groups = cache.groups(selection.namespace);
  for (let g = 0; g < groups.length; g++) {
    const group = groups[g] as (typeof groups)[number];
    let index = startIndex(cache, group.orderKey, start, (name) => group.lowerBound(name));
    if (index < 0) continue;
    for (; index < group.items.length; index++) {
      const entry = group.items[index] as CacheEntry;
      if (!selection.isPlain && !selection.matches(entry)) continue;
      if (limit > 0 && entries.length === limit) {
        const remaining = selection.isPlain ? countFrom(groups, g, index) : undefined;
        return { entries, hasMore: true, remaining };
      }
      entries.push(entry);
    }
  }
  return { entries, hasMore: false, remaining: 0 };
}

function listOne(cache: PrefixCache, { selection, start }: ListQuery): ListSlice {
  const key = cache.keyOf(selection.namespace, selection.name);
  const entry = cache.get(key);
  const isIn =
    entry !== undefined && selection.matches(entry) && key.slice(cache.prefix.length) >= start;
  return { entries: isIn ? [entry] : [], hasMore: false, remaining: 0 };
}

/** Index of the first entry of a group at or after `start`; -1 when the group lies before it. */
function startIndex(
  cache: PrefixCache,
  orderKey: string,
  start: string,
  lowerBound: (name: string) => number,
): number {
  if (start === '') return 0;
  if (!cache.namespaced) return lowerBound(start);
  const slash = start.indexOf('/') + 1;
  const startGroup = slash === 0 ? start : start.slice(0, slash);
  if (orderKey === startGroup) return lowerBound(start.slice(slash));
  return orderKey < startGroup ? -1 : 0;
}

function countFrom(
  groups: readonly { items: readonly unknown[] }[],
  g: number,
  index: number,
): number {
  let count = -index;
  for (let i = g; i < groups.length; i++) count += (groups[i] as { items: unknown[] }).items.length;
  return count;
}

function newestRevision(cache: PrefixCache): number {
  const { ring } = cache;
  return ring.at(ring.nextSequence - 1)?.revision ?? ring.lowestRevision;
}

/** The list as it was: newer changes are undone from what the ring remembers. */
function listPast(cache: PrefixCache, query: ListQuery): ListSlice {
  const { ring } = cache;
  const before = new Map<string, CacheEntry | undefined>();
  for (let sequence = ring.sequenceAfter(query.revision as number); ; sequence++) {
    const event = ring.at(sequence);
    if (event === undefined) break;
    if (!before.has(event.entry.key)) before.set(event.entry.key, event.previous);
  }
  const { selection, limit, start } = query;
  const startKey = cache.prefix + start;
  const isWanted = (entry: CacheEntry): boolean =>
    entry.key >= startKey && selection.matches(entry);
  const entries = cache
    .groups(selection.namespace)
    .flatMap((group) => group.items.filter((entry) => !before.has(entry.key) && isWanted(entry)));
  for (const entry of before.values()) {
    if (entry !== undefined && isWanted(entry)) entries.push(entry);
  }
  entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  if (limit === 0 || entries.length <= limit) return { entries, hasMore: false, remaining: 0 };
  const remaining = selection.isPlain ? entries.length - limit : undefined;
  return { entries: entries.slice(0, limit), hasMore: true, remaining };
}
