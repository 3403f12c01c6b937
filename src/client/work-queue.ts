import type { Clock } from '#base/clock.ts';
import { BoundedQueue } from '#base/queue.ts';
import { createDelayList } from './delay-list.ts';
import type { QueueWatcher } from './queue-metrics.ts';
import { createItemRateLimiter } from './rate-limiter.ts';
import type { RateLimits } from './rate-limiter.ts';

/** The number of different items, or of workers, is the bound. */
const unbounded = Number.MAX_SAFE_INTEGER;

/**
 * A queue of keys with the promises of client-go's work queue: an item added twice is handed out
 * once; an item added while it is being worked on is handed out again after `done`; no item is
 * worked on twice at the same time. Bounded by the number of different items.
 */
export interface WorkQueue<T> {
  readonly length: number;
  /** Retries of the item since the last forget. */
  retries(item: T): number;
  add(item: T): void;
  /** Adds the item later; an earlier time already set for it stays. */
  addAfter(item: T, delayMs: number): void;
  /** Adds the item after its back-off; call forget once it went well. */
  addRateLimited(item: T): void;
  forget(item: T): void;
  /** The next item, or undefined once the queue is shut down and empty. Call done(item) after. */
  get(): Promise<T | undefined>;
  done(item: T): void;
  /** Takes nothing more; what is queued is still handed out, what waits for its time is dropped. */
  shutDown(): void;
  /** shutDown, then waits until the last item handed out is done. */
  drain(): Promise<void>;
}

export function createWorkQueue<T>(options: {
  clock: Clock;
  rateLimits?: RateLimits | undefined;
  watcher?: QueueWatcher | undefined;
}): WorkQueue<T> {
  const { clock, watcher } = options;
  const limiter = createItemRateLimiter<T>(clock, options.rateLimits);
  const queue = new BoundedQueue<T>(unbounded);
  const dirty = new Set<T>();
  const processing = new Set<T>();
  const takers = new BoundedQueue<(item: T | undefined) => void>(unbounded);
  const drained: (() => void)[] = [];
  let isShutDown = false;

  const handOut = (item: T, taker: (item: T | undefined) => void): void => {
    processing.add(item);
    dirty.delete(item);
    watcher?.taken(item);
    taker(item);
  };
  const enqueue = (item: T): void => {
    const taker = takers.shift();
    if (taker === undefined) queue.push(item);
    else handOut(item, taker);
  };
  const add = (item: T): void => {
    if (isShutDown || dirty.has(item)) return;
    dirty.add(item);
    watcher?.added(item);
    if (!processing.has(item)) enqueue(item);
  };
  const delays = createDelayList<T>(clock, add);
  const addAfter = (item: T, delayMs: number): void => {
    if (isShutDown) return;
    if (delayMs <= 0) add(item);
    else delays.add(item, delayMs);
  };
  const settleDrain = (): void => {
    if (!isShutDown || processing.size > 0 || queue.size > 0) return;
    for (const resolve of drained.splice(0)) resolve();
  };
  const shutDown = (): void => {
    isShutDown = true;
    delays.clear();
    for (let taker = takers.shift(); taker !== undefined; taker = takers.shift()) taker(undefined);
  };

  return {
    get length() {
      return queue.size;
    },
    retries: (item) => limiter.retries(item),
    add,
    addAfter,
    addRateLimited(item) {
      watcher?.retried();
      addAfter(item, limiter.nextDelayMs(item));
    },
    forget: (item) => limiter.forget(item),
    get() {
      return new Promise((resolve) => {
        if (queue.size > 0) {
          handOut(queue.shift() as T, resolve);
        } else if (isShutDown) {
          resolve(undefined);
        } else {
          takers.push(resolve);
        }
      });
    },
    done(item) {
      processing.delete(item);
      watcher?.done(item);
      if (dirty.has(item)) enqueue(item);
      settleDrain();
    },
    shutDown,
    drain() {
      shutDown();
      return new Promise((resolve) => {
        drained.push(resolve);
        settleDrain();
      });
    },
  };
}
