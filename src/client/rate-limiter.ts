import type { Clock } from '#base/clock.ts';

/** Says how long an item has to wait before its next try. */
export interface ItemRateLimiter<T> {
  nextDelayMs(item: T): number;
  forget(item: T): void;
  retries(item: T): number;
}

export interface RateLimits {
  firstMs?: number | undefined;
  maxMs?: number | undefined;
  /** Retries of all items together: this many a second on average, so many at once. */
  perSecond?: number | undefined;
  burst?: number | undefined;
}

/**
 * The limiter of upstream's controllers: 5 ms doubling to 1000 s for each item, and 10 a second
 * (100 at once) for all retries together; the longer of the two counts.
 */
export function createItemRateLimiter<T>(
  clock: Clock,
  limits: RateLimits = {},
): ItemRateLimiter<T> {
  const { firstMs = 5, maxMs = 1_000_000, perSecond = 10, burst = 100 } = limits;
  const failures = new Map<T, number>();
  const bucket = createTokenBucket({ clock, perSecond, burst });
  return {
    nextDelayMs(item) {
      const count = failures.get(item) ?? 0;
      failures.set(item, count + 1);
      const ownMs = Math.min(firstMs * 2 ** Math.min(count, 60), maxMs);
      return Math.max(ownMs, bucket.reserveMs());
    },
    forget: (item) => void failures.delete(item),
    retries: (item) => failures.get(item) ?? 0,
  };
}

export interface TokenBucket {
  /** Takes a token, now or from the future; returns how long until it is there. */
  reserveMs(): number;
  /** Takes a token if one is there. */
  take(): boolean;
}

export function createTokenBucket(options: {
  clock: Clock;
  perSecond: number;
  burst: number;
}): TokenBucket {
  const { clock, perSecond, burst } = options;
  let tokens = burst;
  let lastMs = clock.monotonicMs();
  const refill = (): void => {
    const now = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((now - lastMs) / 1000) * perSecond);
    lastMs = now;
  };
  return {
    reserveMs() {
      refill();
      tokens -= 1;
      return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000;
    },
    take() {
      refill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
