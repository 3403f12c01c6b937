import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Keys waiting to be looked at, each once however often it is added: what counts is the state that
 * is found then. A key that fails comes back later and later.
 */
export class WorkQueue {
  readonly #keys = new Set<string>();
  readonly #failures = new Map<string, number>();
  #wake = Promise.withResolvers<void>();

  add(key: string): void {
    this.#keys.add(key);
    this.#wake.resolve();
  }

  /** Works keys off one by one until the signal; `failed` hears of every error. */
  async run(
    work: (key: string) => Promise<void>,
    failed: (key: string, error: unknown) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (!signal.aborted) {
      const [key] = this.#keys;
      if (key === undefined) {
        await Promise.race([this.#wake.promise, ended]);
        this.#wake = Promise.withResolvers();
        continue;
      }
      this.#keys.delete(key);
      try {
        await work(key);
        this.#failures.delete(key);
      } catch (error) {
        failed(key, error);
        void this.#retry(key, signal);
      }
    }
  }

  async #retry(key: string, signal: AbortSignal): Promise<void> {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = Math.min(30_000, 100 * 2 ** failures);
    await sleep(delayMs, undefined, { signal }).then(
      () => this.add(key),
      () => undefined,
    );
  }
}
