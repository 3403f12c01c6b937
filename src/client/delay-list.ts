import type { Clock } from '#base/clock.ts';
import { DelayQueue } from '#base/delay-queue.ts';

/** How many items one turn hands out before others get theirs. */
const atOnce = 1000;

/**
 * Items that become due later, with one timer for all of them. An item that waits already keeps
 * the earlier of its two times.
 */
export interface DelayList<T> {
  readonly size: number;
  add(item: T, delayMs: number): void;
  /** Forgets everything that waits. */
  clear(): void;
}

export function createDelayList<T>(clock: Clock, onDue: (item: T) => void): DelayList<T> {
  // Entries whose item was moved forward stay behind in the queue as stale ones.
  const dueOf = new Map<T, number>();
  const queue = new DelayQueue<{ item: T; dueMs: number }>({
    clock,
    onDue: () => {
      for (const { item, dueMs } of queue.takeDue(atOnce)) {
        if (dueOf.get(item) !== dueMs) continue;
        dueOf.delete(item);
        onDue(item);
      }
    },
  });
  return {
    get size() {
      return dueOf.size;
    },
    add(item, delayMs) {
      const dueMs = clock.monotonicMs() + delayMs;
      const known = dueOf.get(item);
      if (known !== undefined && known <= dueMs) return;
      dueOf.set(item, dueMs);
      queue.add({ item, dueMs }, delayMs);
    },
    clear() {
      queue.clear();
      dueOf.clear();
    },
  };
}
