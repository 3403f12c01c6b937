import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

/** Same fields and meaning as client-go's wait.Backoff. */
export interface BackoffSettings {
  /** First delay. */
  durationMs: number;
  /** Each delay is the one before times this; 0 or absent keeps it the same. */
  factor?: number;
  /** Up to this share of the delay is added by chance. */
  jitter?: number;
  /** Delays that may still grow; after them the delay stays as it is. */
  steps: number;
  /** A grown delay above this becomes this, and growth ends; 0 or absent for no cap. */
  capMs?: number;
}

/** The running state of one back-off; not shared between loops. */
export class Backoff {
  #durationMs: number;
  #steps: number;
  readonly #factor: number;
  readonly #jitter: number;
  readonly #capMs: number;
  readonly #random: Random;

  constructor(settings: BackoffSettings, random: Random) {
    this.#durationMs = settings.durationMs;
    this.#steps = settings.steps;
    this.#factor = settings.factor ?? 0;
    this.#jitter = settings.jitter ?? 0;
    this.#capMs = settings.capMs ?? 0;
    this.#random = random;
  }

  /** Steps left; 0 once the cap was reached. */
  get steps(): number {
    return this.#steps;
  }

  /** The delay to wait now, moving one step on. */
  next(): number {
    const currentMs = this.#durationMs;
    if (this.#steps >= 1) {
      this.#steps--;
      if (this.#factor !== 0) this.#grow();
    }
    return this.#jitter > 0 ? addJitter(currentMs, this.#jitter, this.#random) : currentMs;
  }

  #grow(): void {
    this.#durationMs *= this.#factor;
    if (this.#capMs > 0 && this.#durationMs > this.#capMs) {
      this.#durationMs = this.#capMs;
      this.#steps = 0;
    }
  }
}

/** A delay between `delayMs` and `delayMs * (1 + maxFactor)`, as wait.Jitter. */
export function addJitter(delayMs: number, maxFactor: number, random: Random): number {
  return delayMs + random.float() * (maxFactor > 0 ? maxFactor : 1) * delayMs;
}

export interface RetryOptions extends BackoffSettings {
  clock: Clock;
  random: Random;
  signal?: AbortSignal | undefined;
  /** False for errors that another attempt cannot cure; they are thrown at once. */
  isRetriable?: (error: unknown) => boolean;
}

/**
 * Runs `work` until it succeeds, waiting in between. The last error is thrown as it is: after
 * `steps` attempts (fewer when the cap ends growth, as wait.ExponentialBackoff), for an error that
 * is not retriable, or with the signal's reason when aborted while waiting.
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, random, signal, isRetriable } = options;
  const backoff = new Backoff(options, random);
  for (;;) {
    signal?.throwIfAborted();
    let delayMs: number;
    try {
      return await work();
    } catch (error) {
      if (isRetriable?.(error) === false || backoff.steps <= 1) throw error;
      delayMs = backoff.next();
      if (backoff.steps === 0) throw error;
    }
    await clock.sleep(delayMs, signal);
  }
}
