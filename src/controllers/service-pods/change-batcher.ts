import type { Clock } from '#base/clock.ts';
import type { WorkQueue } from '#client/mod.ts';

/** Changes of one service within this time are written together. */
const batchMs = 100;

/**
 * Queues a key at once when it was quiet, and at the end of the batch time when it was not: the
 * first pod that becomes ready is served without delay, a hundred do not make a hundred writes.
 */
export function createChangeBatcher(
  clock: Clock,
  queue: WorkQueue<string>,
): { enqueue(key: string): void; forget(key: string): void } {
  const lastMs = new Map<string, number>();
  return {
    enqueue(key) {
      const now = clock.monotonicMs();
      const last = lastMs.get(key);
      if (last === undefined || now - last >= batchMs) {
        lastMs.set(key, now);
        queue.add(key);
      } else {
        queue.addAfter(key, last + batchMs - now);
      }
    },
    forget: (key) => void lastMs.delete(key),
  };
}
