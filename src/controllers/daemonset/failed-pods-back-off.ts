import type { Clock } from '#base/clock.ts';

const firstMs = 1000;
const maxMs = 15 * 60_000;

/**
 * Waits between removals of failed pods of a set on one node: 1 s doubling to 15 min, so that a
 * kubelet that refuses the pod is not fought. Forgotten after twice the longest wait.
 */
export interface FailedPodsBackOff {
  /** Time left until the next removal; 0 notes a removal now. */
  next(key: string): number;
}

export function createFailedPodsBackOff(clock: Clock): FailedPodsBackOff {
  const entries = new Map<string, { waitMs: number; lastMs: number }>();
  return {
    next(key) {
      const nowMs = clock.monotonicMs();
      for (const [name, { lastMs }] of entries) {
        if (nowMs - lastMs > 2 * maxMs) entries.delete(name);
      }
      const known = entries.get(key);
      const leftMs = known === undefined ? 0 : known.lastMs + known.waitMs - nowMs;
      if (leftMs > 0) return leftMs;
      const waitMs = known === undefined ? firstMs : Math.min(known.waitMs * 2, maxMs);
      entries.set(key, { waitMs, lastMs: nowMs });
      return 0;
    },
  };
}
