import type { Clock } from '#base/clock.ts';
import { DelayQueue } from '#base/delay-queue.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

/** Deletes in flight at once, so that a thousand keys that end together do not fill the queue. */
const maxDeletes = 200;

/** Wait before an expired key is tried again, as in kine. */
const retryMs = 250;

interface Lease {
  readonly key: string;
  readonly modRevision: number;
  readonly isRetry: boolean;
}

export interface ExpiryOptions {
  clock: Clock;
  log: Logger;
  /** Whether the key is still at the revision that the lease was given to. */
  isCurrent: (key: string, modRevision: number) => boolean;
  /** Deletes the key at that revision. */
  remove: (key: string, modRevision: number) => Promise<void>;
}

/**
 * Deletes keys whose time is over. A lease belongs to one write, as in kine: writing the key again
 * ends it. Keys found at start get their full time again, since the log has no clock in it.
 */
export class Expiry {
  readonly #options: ExpiryOptions;
  readonly #queue: DelayQueue<Lease>;
  #isRunning = false;
  #isClosed = false;

  constructor(options: ExpiryOptions) {
    this.#options = options;
    this.#queue = new DelayQueue({ clock: options.clock, onDue: () => void this.#run() });
  }

  track(key: string, modRevision: number, leaseSeconds: number): void {
    if (this.#isClosed) return;
    this.#queue.add({ key, modRevision, isRetry: false }, leaseSeconds * 1000);
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.clear();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (;;) {
      const due = this.#queue.takeDue(maxDeletes);
      if (due.length === 0 || this.#isClosed) break;
      await Promise.all(due.map((lease) => this.#expire(lease)));
    }
    this.#isRunning = false;
  }

  async #expire(lease: Lease): Promise<void> {
    const { key, modRevision } = lease;
    if (!this.#options.isCurrent(key, modRevision)) return;
    try {
      await this.#options.remove(key, modRevision);
    } catch (error) {
      if (this.#isClosed || hasCode(error, 'RevisionMismatch') || hasCode(error, 'Closed')) return;
      if (!lease.isRetry) {
        this.#options.log.warning('Expired key could not be deleted, trying again', {
          key,
          error: messageOf(error),
        });
      }
      this.#queue.add({ ...lease, isRetry: true }, retryMs);
    }
  }
}
