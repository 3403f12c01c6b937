import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';

/**
 * Delays that double up to a cap, each with up to 100 % added by chance, as client-go's reflector.
 */
export interface BackOff {
  nextMs(): number;
}

/** Starts again from the first delay when the last one is longer ago than `resetAfterMs`. */
export function createBackOff(options: {
  clock: Clock;
  random: Random;
  firstMs?: number;
  maxMs?: number;
  resetAfterMs?: number;
}): BackOff {
  const { clock, random, firstMs = 800, maxMs = 30_000, resetAfterMs = 120_000 } = options;
  let delayMs = firstMs;
  let lastMs = clock.monotonicMs();
  return {
    nextMs() {
      const now = clock.monotonicMs();
      if (now - lastMs > resetAfterMs) delayMs = firstMs;
      const result = delayMs * (1 + random.float());
      lastMs = now;
      delayMs = Math.min(delayMs * 2, maxMs);
      return Math.min(result, maxMs);
    },
  };
}
