import { StoreError } from '#store/mod.ts';
import type { CacheEvent, PrefixCache, Selection, Subscription } from '../cache/mod.ts';
import type { Core } from '../core.ts';

/** More changes than this are not read again: the client does better with a new list. */
const maxPastEvents = 50_000;

/** The ring may move on while history is read. */
const maxAttempts = 3;

export type Subscribe = (wake: () => void) => Subscription | undefined;

/**
 * How to watch from a revision before the ring begins, with the changes in between read from the
 * store, as long as the store has them; undefined when it has not. After a restart all watches of
 * clients that reconnect start this way.
 */
export async function subscribeFromHistory(
  core: Core,
  cache: PrefixCache,
  selection: Selection,
  after: number,
): Promise<Subscribe | undefined> {
  const backlog: CacheEvent[] = [];
  let from = after;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const through = core.cache.appliedRevision;
    const events = await pastEvents(core, cache, from, through);
    if (events === undefined || backlog.length + events.length > maxPastEvents) return undefined;
    backlog.push(...events);
    from = through;
    if (cache.ring.lowestRevision <= through) {
      return (wake) => cache.subscribe(selection, through, wake, backlog);
    }
  }
  return undefined;
}

async function pastEvents(
  core: Core,
  cache: PrefixCache,
  after: number,
  through: number,
): Promise<CacheEvent[] | undefined> {
  try {
    const options = { after, through, maxEvents: maxPastEvents };
    const events = await core.backend.history(cache.prefix, options);
    return events?.map((event) => cache.pastEvent(event));
  } catch (error) {
    if (error instanceof StoreError && error.code === 'Compacted') return undefined;
    throw error;
  }
}
