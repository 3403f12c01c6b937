import type { Clock, Timer } from './clock.ts';

interface Entry<T> {
  readonly dueMs: number;
  readonly order: number;
  readonly item: T;
}

/**
 * Hands out items once their time has come: earliest first, equal times in order of adding. One
 * timer for all of them. It has no bound of its own: the owner adds one item per thing it tracks.
 */
export class DelayQueue<T> {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  /** Binary heap, smallest first. */
  readonly #heap: Entry<T>[] = [];
  #order = 0;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;

  /** `onDue` is called when something became due; it takes items with `takeDue`. */
  constructor(options: { clock: Clock; onDue: () => void }) {
    this.#clock = options.clock;
    this.#onDue = options.onDue;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(item: T, delayMs: number): void {
    const dueMs = this.#clock.monotonicMs() + Math.max(delayMs, 0);
    this.#heap.push({ dueMs, order: this.#order++, item });
    this.#siftUp(this.#heap.length - 1);
    this.#arm();
  }

  /** Up to `limit` items that are due; when more are, `onDue` is called again. */
  takeDue(limit: number): T[] {
    const nowMs = this.#clock.monotonicMs();
    const taken: T[] = [];
    while (taken.length < limit && this.#heap.length > 0 && this.#heap[0]!.dueMs <= nowMs) {
      taken.push(this.#removeFirst().item);
    }
    this.#arm();
    return taken;
  }

  /** Drops everything and stops the timer. */
  clear(): void {
    this.#heap.length = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = first.dueMs;
    this.#timer = this.#clock.after(first.dueMs - this.#clock.monotonicMs(), () => {
      this.#timer = undefined;
      this.#timerDueMs = Infinity;
      if (this.#heap.length > 0 && this.#heap[0]!.dueMs <= this.#clock.monotonicMs()) {
        this.#onDue();
      }
      this.#arm();
    });
  }

  #removeFirst(): Entry<T> {
    const first = this.#heap[0]!;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#siftDown();
    }
    return first;
  }

  #siftUp(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(this.#heap[at]!, this.#heap[parent]!)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #siftDown(): void {
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const isRight = right < this.#heap.length && isBefore(this.#heap[right]!, this.#heap[left]!);
      const child = isRight ? right : left;
      if (!isBefore(this.#heap[child]!, this.#heap[at]!)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #swap(a: number, b: number): void {
    const entry = this.#heap[a]!;
    this.#heap[a] = this.#heap[b]!;
    this.#heap[b] = entry;
  }
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
