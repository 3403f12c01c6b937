import type { Clock, Timer } from '#base/clock.ts';
import { DelayQueue } from '#base/delay-queue.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Lease } from './lease-line.ts';
import { LeaseLine } from './lease-line.ts';

/** Deletes in flight at once, so that a thousand keys that end together do not fill the queue. */
const maxDeletes = 200;

/** Wait before an expired key is tried again, as in kine. */
const retryMs = 250;

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
  /** By length in seconds; there are few lengths. */
  readonly #lines = new Map<number, LeaseLine>();
  readonly #retries: DelayQueue<Lease>;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  #isRunning = false;
  #isClosed = false;

  constructor(options: ExpiryOptions) {
    this.#options = options;
    this.#retries = new DelayQueue({ clock: options.clock, onDue: () => void this.#run() });
  }

  track(key: string, modRevision: number, leaseSeconds: number): void {
    if (this.#isClosed) return;
    let line = this.#lines.get(leaseSeconds);
    if (line === undefined) {
      line = new LeaseLine(this.#options.isCurrent);
      this.#lines.set(leaseSeconds, line);
    }
    line.add(key, modRevision, this.#options.clock.monotonicMs() + leaseSeconds * 1000);
    if (line.length === 1) this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#retries.clear();
    this.#lines.clear();
    this.#timer?.cancel();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (;;) {
      const again = this.#retries.takeDue(maxDeletes);
      const due = this.#takeDue(maxDeletes - again.length);
      if (due.length + again.length === 0 || this.#isClosed) break;
      const deletes = due.map((lease) => this.#expire(lease, false));
      await Promise.all([...deletes, ...again.map((lease) => this.#expire(lease, true))]);
    }
    this.#isRunning = false;
    this.#arm();
  }

  /** Those that ended, the earliest first. */
  #takeDue(limit: number): Lease[] {
    const nowMs = this.#options.clock.monotonicMs();
    const taken: Lease[] = [];
    while (taken.length < limit) {
      const line = this.#earliest();
      if (line === undefined || line.dueMs > nowMs) break;
      const lease = line.take();
      if (lease !== undefined) taken.push(lease);
    }
    return taken;
  }

  #earliest(): LeaseLine | undefined {
    let earliest: LeaseLine | undefined;
    for (const line of this.#lines.values()) {
      if (line.length > 0 && line.dueMs < (earliest?.dueMs ?? Infinity)) earliest = line;
    }
    return earliest;
  }

  #arm(): void {
    const dueMs = this.#earliest()?.dueMs ?? Infinity;
    if (this.#isRunning || this.#isClosed || dueMs >= this.#timerDueMs) return;
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = clock.after(Math.max(dueMs - clock.monotonicMs(), 0), () => {
      this.#timer = undefined;
      this.#timerDueMs = Infinity;
      void this.#run();
    });
  }

  async #expire(lease: Lease, isRetry: boolean): Promise<void> {
    const { key, modRevision } = lease;
    if (!this.#options.isCurrent(key, modRevision)) return;
    try {
      await this.#options.remove(key, modRevision);
    } catch (error) {
      if (this.#isClosed || hasCode(error, 'RevisionMismatch') || hasCode(error, 'Closed')) return;
      if (!isRetry) {
        this.#options.log.warning('Expired key could not be deleted, trying again', {
          key,
          error: messageOf(error),
        });
      }
      this.#retries.add(lease, retryMs);
    }
  }
}
