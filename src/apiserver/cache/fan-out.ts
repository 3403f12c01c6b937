import type { Subscription } from './subscription.ts';

/** Watchers served before other work gets a turn. */
const watchersPerTurn = 100;

/**
 * Wakes watchers that have something to read, a slice at a time, so that a change with a thousand
 * watchers does not hold up requests.
 */
export class FanOut {
  #queue: Subscription[] = [];
  #isScheduled = false;

  add(subscription: Subscription): void {
    this.#queue.push(subscription);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(this.#run);
  }

  readonly #run = (): void => {
    const queue = this.#queue;
    const isRest = queue.length > watchersPerTurn;
    this.#queue = isRest ? queue.slice(watchersPerTurn) : [];
    const count = isRest ? watchersPerTurn : queue.length;
    for (let i = 0; i < count; i++) (queue[i] as Subscription).wake();
    if (this.#queue.length > 0) setImmediate(this.#run);
    else this.#isScheduled = false;
  };
}
