import type { StatusBody } from '#base/api-status-error.ts';
import { ApiStatusError } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Timer } from '#base/clock.ts';
import { expired, internalError, tooOldResourceVersion } from '../api-errors.ts';
import type { CacheEntry, Delivery, PrefixCache, Subscription } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import { shownEntry } from '../answers/watch-answer.ts';
import type { ServedResource } from '../resource-registry.ts';
import { prepareEntries } from '../resource-registry.ts';
import { waitForAtLeast, waitForNewest } from './freshness.ts';
import { readyCache } from './get.ts';
import { listKept } from './list.ts';
import { subscribeFromHistory } from './watch-history.ts';
import type { ListOptions } from './list-options.ts';
import { checkListOptions, readRevision, selectionOf } from './list-options.ts';

const bookmarkIntervalMs = 60_000;
/** The last bookmark of a watch comes this long before its end. */
const lastBookmarkMs = 2_000;
/** Watches without a timeout end after 30 to 60 minutes, as upstream's. */
const minTimeoutMs = 1_800_000;

/** One thing that a watcher is told. */
export type WatchItem =
  | { readonly kind: 'initial'; readonly entry: CacheEntry }
  | { readonly kind: 'change'; readonly delivery: Delivery }
  | { readonly kind: 'bookmark'; readonly revision: number; readonly isInitialEnd: boolean }
  | { readonly kind: 'error'; readonly status: StatusBody };

/**
 * A watch under way, to be pulled from: `next` hands out what there is, `onWake` says when to ask
 * again. Whoever started it must close it.
 */
export class WatchSession {
  readonly served: ServedResource;
  /** Called when `next` may have something again or the watch has ended. */
  onWake: () => void = () => undefined;
  readonly #core: Core;
  readonly #initial: readonly CacheEntry[];
  #initialIndex = 0;
  #subscription: Subscription | undefined;
  #failure: StatusBody | undefined;
  #initialEnd: number | undefined;
  #wantsBookmark = false;
  #isEnded = false;
  /** An item whose conversion is under way; undefined while there is none. */
  #held: { item: WatchItem | undefined } | undefined;
  #timers: Timer[] = [];
  readonly #endMs: number;

  constructor(init: {
    core: Core;
    served: ServedResource;
    initial: readonly CacheEntry[];
    /** Revision of the bookmark that closes the initial events, when one is wanted. */
    initialEnd: number | undefined;
    subscribe: (wake: () => void) => Subscription | undefined;
    /** What to say when the subscription cannot start. */
    failure: StatusBody | undefined;
    options: ListOptions;
  }) {
    this.#core = init.core;
    this.served = init.served;
    this.#initial = init.initial;
    this.#initialEnd = init.initialEnd;
    this.#subscription = init.subscribe(() => this.onWake());
    if (this.#subscription === undefined) this.#failure = init.failure;
    const { timeoutSeconds, allowWatchBookmarks } = init.options;
    const minMs = init.core.minWatchTimeoutMs ?? minTimeoutMs;
    const randomMs = minMs * (1 + init.core.random.float());
    const timeoutMs =
      timeoutSeconds === undefined || timeoutSeconds <= 0 ? randomMs : timeoutSeconds * 1000;
    this.#timers.push(init.core.clock.after(timeoutMs, () => this.#end()));
    this.#endMs = init.core.clock.monotonicMs() + timeoutMs;
    if (allowWatchBookmarks) this.#armBookmark();
  }

  /** True when nothing will come any more. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The next thing to tell, or undefined when there is none now or the watch has ended. */
  next(): WatchItem | undefined {
    if (this.#isEnded) return undefined;
    const held = this.#held;
    if (held !== undefined) {
      if (held.item === undefined) return undefined;
      this.#held = undefined;
      if (held.item.kind === 'error') this.#isEnded = true;
      return held.item;
    }
    const item = this.#take();
    return item === undefined || this.served.custom === undefined ? item : this.#ready(item);
  }

  /** The item when it can be shown, else undefined and a wake once it can. */
  #ready(item: WatchItem): WatchItem | undefined {
    if (item.kind !== 'initial' && item.kind !== 'change') return item;
    const entry = item.kind === 'initial' ? item.entry : shownEntry(this.served, item.delivery);
    const wait = prepareEntries(this.served, [entry]);
    if (wait === undefined) return item;
    const held: { item: WatchItem | undefined } = { item: undefined };
    this.#held = held;
    const done = (shown: WatchItem): void => {
      held.item = shown;
      if (!this.#isEnded) this.onWake();
    };
    wait.then(
      () => done(item),
      (error: unknown) => done({ kind: 'error', status: failureOf(error) }),
    );
    return undefined;
  }

  #take(): WatchItem | undefined {
    if (this.#initialIndex < this.#initial.length) {
      const entry = this.#initial[this.#initialIndex++] as CacheEntry;
      return { kind: 'initial', entry };
    }
    if (this.#initialEnd !== undefined) {
      const revision = this.#initialEnd;
      this.#initialEnd = undefined;
      return { kind: 'bookmark', revision, isInitialEnd: true };
    }
    if (this.#failure !== undefined) {
      const status = this.#failure;
      this.#failure = undefined;
      this.#isEnded = true;
      return { kind: 'error', status };
    }
    const delivery = this.#subscription?.next();
    if (delivery !== undefined) return { kind: 'change', delivery };
    if (this.#subscription === undefined || this.#subscription.endReason !== undefined) {
      this.#isEnded = true;
      return undefined;
    }
    if (!this.#wantsBookmark) return undefined;
    this.#wantsBookmark = false;
    return { kind: 'bookmark', revision: this.#core.cache.appliedRevision, isInitialEnd: false };
  }

  /** Gives everything back; safe to call again. */
  close(): void {
    this.#isEnded = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    if (this.#subscription === undefined) return;
    this.served.cache?.watchers.remove(this.#subscription);
    this.#subscription = undefined;
  }

  #end(): void {
    this.#isEnded = true;
    this.onWake();
  }

  /** Every minute, and just before the end. */
  #armBookmark(): void {
    const { clock } = this.#core;
    const leftMs = this.#endMs - lastBookmarkMs - clock.monotonicMs();
    if (leftMs <= 0) return;
    const timer = clock.after(Math.min(bookmarkIntervalMs, leftMs), () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.#wantsBookmark = true;
      this.onWake();
      this.#armBookmark();
    });
    this.#timers.push(timer);
  }
}

/** The cache tells how far back it reaches, the store does not, as upstream's. */
function tooOld(cache: PrefixCache, asked: number): ApiStatusError {
  if (cache.isComplete) return tooOldResourceVersion(asked, cache.ring.lowestRevision);
  return expired('The resourceVersion for the provided watch is too old.');
}

function failureOf(error: unknown): StatusBody {
  return (error instanceof ApiStatusError ? error : internalError(messageOf(error))).toStatus();
}

/** Starts a watch by upstream's rules for resourceVersion and sendInitialEvents. */
export async function watchObjects(
  core: Core,
  served: ServedResource,
  namespace: string,
  name: string,
  options: ListOptions,
): Promise<WatchSession> {
  checkListOptions(options, true);
  const cache = await readyCache(core, served, 'watch');
  const selection = selectionOf(served, options, namespace, name);
  const revision = readRevision(options.resourceVersion, 'watch');
  const isAny = revision === undefined || revision === 0;
  const withInitial = options.sendInitialEvents ?? isAny;
  if (revision === undefined) await waitForNewest(core);
  // a plain watch from the future starts now and says nothing of what comes before
  else if (withInitial) await waitForAtLeast(core, revision);
  const first = withInitial ? await listKept(core, cache, selection, 0, '') : undefined;
  const initial = first?.entries ?? [];
  await prepareEntries(served, initial);
  const from = first?.revision ?? (isAny ? undefined : revision);
  const isPast = from !== undefined && from < cache.ring.lowestRevision;
  const past = isPast ? await subscribeFromHistory(core, cache, selection, from) : undefined;
  return new WatchSession({
    core,
    served,
    initial,
    // upstream asks for initial events itself where a watch begins with them anyway
    initialEnd: options.allowWatchBookmarks ? first?.revision : undefined,
    subscribe: past ?? ((wake) => cache.subscribe(selection, from, wake)),
    failure: tooOld(cache, from ?? 0).toStatus(),
    options,
  });
}
