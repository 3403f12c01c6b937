import type { Clock } from '#base/clock.ts';

interface Entry<T> {
  value: T;
  expiresMs: number;
}

/** Answers kept for a while; the oldest entry goes when there are too many. */
export class ExpiringCache<T> {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: { clock: Clock; capacity: number }) {
    this.#clock = options.clock;
    this.#capacity = options.capacity;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresMs > this.#clock.monotonicMs()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: T, lifetimeMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresMs: this.#clock.monotonicMs() + lifetimeMs });
    if (this.#entries.size <= this.#capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
