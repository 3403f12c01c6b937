import type { Clock } from '#base/clock.ts';

interface Entry {
  delayMs: number;
  updatedMs: number;
}

/**
 * Delays per key that double from `firstMs` to `maxMs`. An entry whose last step is more than twice
 * `maxMs` before the event it is asked about starts anew: a container that ran for ten minutes is
 * restarted at once.
 */
export interface KeyedBackOff {
  /** What is left of the delay that counts from `eventMs`; 0 when there is none. */
  remainingMs(key: string, eventMs: number): number;
  /** The whole delay in force. */
  delayMs(key: string): number;
  /** Goes one step further; call it when the thing is done (again). */
  next(key: string, eventMs: number): void;
  forget(keyPrefix: string): void;
}

export function createKeyedBackOff(options: {
  clock: Clock;
  firstMs?: number;
  maxMs?: number;
}): KeyedBackOff {
  const { clock, firstMs = 10_000, maxMs = 300_000 } = options;
  const entries = new Map<string, Entry>();
  const isExpired = (entry: Entry, eventMs: number): boolean =>
    eventMs - entry.updatedMs > maxMs * 2;

  return {
    remainingMs(key, eventMs) {
      const entry = entries.get(key);
      if (entry === undefined || isExpired(entry, eventMs)) return 0;
      return Math.max(0, entry.delayMs - (clock.now() - eventMs));
    },
    delayMs: (key) => entries.get(key)?.delayMs ?? 0,
    next(key, eventMs) {
      const entry = entries.get(key);
      const delayMs =
        entry === undefined || isExpired(entry, eventMs)
          ? firstMs
          : Math.min(entry.delayMs * 2, maxMs);
      entries.set(key, { delayMs, updatedMs: clock.now() });
    },
    forget(keyPrefix) {
      for (const key of entries.keys()) if (key.startsWith(keyPrefix)) entries.delete(key);
    },
  };
}
