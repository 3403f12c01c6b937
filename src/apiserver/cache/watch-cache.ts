import type { Clock, Timer } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Backend, StoreEvent, StoreWatch } from '#store/mod.ts';
import type { CacheEntry } from './entry.ts';
import type { CacheEvent } from './event-ring.ts';
import { FanOut } from './fan-out.ts';
import type { PrefixCache } from './prefix-cache.ts';

/** Time after which a lost feed is tried again. */
const restartDelayMs = 500;

/** Changes stay in memory for 60 to 90 s; upstream counts those of the last 75 s as fresh. */
const ageEveryMs = 30_000;

interface Slot {
  cache: PrefixCache;
  /** Resolves after the first load. */
  ready: Promise<void>;
  isLoaded: boolean;
  /** Events that came while the load was running. */
  pending: StoreEvent[];
}

interface Waiter {
  revision: number;
  resolve: () => void;
}

/**
 * Keeps one PrefixCache a kind up to date from a single feed of the store, so that one number, the
 * applied revision, says how new everything in memory is. Kinds are loaded at first use.
 */
export class WatchCache {
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #slots = new Map<string, Slot>();
  /** Entries of writes that are under way, by revision: their events need no parsing. */
  readonly #made = new Map<number, CacheEntry>();
  readonly #fanOut = new FanOut();
  #waiters: Waiter[] = [];
  #feed: StoreWatch | undefined;
  #restart: Timer | undefined;
  #aging: Timer | undefined;
  #applied = 0;
  #isClosed = false;

  constructor(options: { backend: Backend; clock: Clock; log: Logger }) {
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  start(): void {
    this.#applied = this.#backend.currentRevision;
    this.#openFeed();
    this.#ageRings();
  }

  close(): void {
    this.#isClosed = true;
    this.#restart?.cancel();
    this.#aging?.cancel();
    this.#feed?.close();
    for (const waiter of this.#waiters) waiter.resolve();
    this.#waiters = [];
    for (const { cache } of this.#slots.values()) cache.close();
  }

  /** Every loaded cache shows the state at this revision. */
  get appliedRevision(): number {
    return this.#applied;
  }

  /** Starts to load a kind; the result says when it can be read. */
  add(cache: PrefixCache): Promise<void> {
    const known = this.#slots.get(cache.prefix);
    if (known !== undefined) return known.ready;
    const slot: Slot = { cache, ready: Promise.resolve(), isLoaded: false, pending: [] };
    this.#slots.set(cache.prefix, slot);
    slot.ready = this.#load(slot).catch((error: unknown) => {
      this.#slots.delete(cache.prefix);
      throw error;
    });
    return slot.ready;
  }

  /** Forgets a kind: its definition was deleted. Watchers of it end. */
  remove(prefix: string): void {
    const slot = this.#slots.get(prefix);
    this.#slots.delete(prefix);
    slot?.cache.load([], this.#applied);
  }

  caches(): PrefixCache[] {
    return [...this.#slots.values()].map((slot) => slot.cache);
  }

  /** Announces the entry that the change at this revision will bring, to spare parsing it. */
  announce(entry: CacheEntry): void {
    this.#made.set(entry.revision, entry);
  }

  /** Takes an announcement back: the write failed, or its event has come. */
  withdraw(entry: CacheEntry): void {
    // the revision of a write that failed may be another write's by now
    if (this.#made.get(entry.revision) === entry) this.#made.delete(entry.revision);
  }

  /** Resolves when everything up to `revision` is in memory (or the cache is closed). */
  waitForRevision(revision: number): Promise<void> | undefined {
    if (revision <= this.#applied || this.#isClosed) return undefined;
    return new Promise((resolve) => this.#waiters.push({ revision, resolve }));
  }

  #ageRings(): void {
    this.#aging = this.#clock.after(ageEveryMs, () => {
      for (const { cache } of this.#slots.values()) cache.ring.age();
      this.#ageRings();
    });
  }

  #openFeed(): void {
    this.#feed = this.#backend.watch('', this.#applied, {
      onEvents: (events) => this.#apply(events),
      onError: (error) => this.#recover(error),
    });
  }

  async #load(slot: Slot): Promise<void> {
    const { prefix, loadLimit: limit } = slot.cache;
    const { items, revision, remaining } = await this.#backend.list(prefix, { limit });
    await this.waitForRevision(revision);
    slot.cache.load(items, revision, this.#reportUnreadable, remaining);
    for (const event of slot.pending) {
      if (event.modRevision > revision) this.#applyTo(slot.cache, event);
    }
    slot.pending = [];
    slot.isLoaded = true;
  }

  #apply(events: readonly StoreEvent[]): void {
    for (const event of events) {
      const slot = this.#slotOf(event.key);
      if (slot?.isLoaded === true) this.#applyTo(slot.cache, event);
      else slot?.pending.push(event);
    }
    const last = events[events.length - 1];
    if (last === undefined || last.modRevision <= this.#applied) return;
    this.#applied = last.modRevision;
    this.#wakeWaiters();
  }

  #applyTo(cache: PrefixCache, event: StoreEvent): void {
    const made = this.#made.get(event.modRevision);
    let change: CacheEvent;
    try {
      change = cache.apply(event, made?.key === event.key ? made : undefined);
    } catch (error) {
      this.#reportUnreadable(event.key, error);
      return;
    }
    const sequence = cache.ring.nextSequence - 1;
    cache.watchers.forEvent(change, (watcher) => {
      if (!watcher.isIdle) return;
      watcher.notice(sequence);
      this.#fanOut.add(watcher);
    });
  }

  readonly #reportUnreadable = (key: string, error: unknown): void => {
    this.#log.error('Stored object cannot be read', { key, error: messageOf(error) });
  };

  #slotOf(key: string): Slot | undefined {
    const first = key.indexOf('/', 1);
    const second = key.indexOf('/', first + 1);
    const third = key.indexOf('/', second + 1);
    const deep = third < 0 ? undefined : this.#slots.get(key.slice(0, third + 1));
    return deep ?? this.#slots.get(key.slice(0, second + 1));
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.revision <= this.#applied);
    if (due.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#applied);
    for (const waiter of due) waiter.resolve();
  }

  /** The feed broke: history may be missing, so everything is loaded again and watchers end. */
  #recover(error: Error): void {
    if (this.#isClosed) return;
    this.#log.warning('Store feed was lost, loading again', { error: error.message });
    this.#feed?.close();
    this.#restart = this.#clock.after(restartDelayMs, () => {
      this.#applied = Math.max(this.#applied, this.#backend.currentRevision);
      this.#openFeed();
      this.#wakeWaiters();
      for (const slot of this.#slots.values()) {
        slot.isLoaded = false;
        slot.ready = this.#load(slot);
        slot.ready.catch((cause: unknown) => this.#recover(cause as Error));
      }
    });
  }
}
