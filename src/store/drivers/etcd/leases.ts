import type { Clock } from '#base/clock.ts';
import type { EtcdConnection } from './connection.ts';
import { isLeaseTaken } from './etcd-errors.ts';
import { encodeLeaseGrant } from './messages.ts';
import { leaseGrantMethod } from './methods.ts';

/** As upstream: keys share a lease when they end within a minute, or 5 % of their time. */
const maxSharedSeconds = 60;
const maxSharedPart = 0.05;
const maxKeysOfLease = 1000;
const maxAttempts = 5;

interface SharedLease {
  readonly id: Promise<number>;
  readonly ttlSeconds: number;
  readonly startedMs: number;
  readonly sharedMs: number;
  keys: number;
}

/** Leases for keys that expire; few, because each one costs etcd more than a key. */
export class Leases {
  readonly #connection: EtcdConnection;
  readonly #clock: Clock;
  #shared: SharedLease | undefined;
  #lastId = 0;

  constructor(options: { connection: EtcdConnection; clock: Clock }) {
    this.#connection = options.connection;
    this.#clock = options.clock;
  }

  /** The id of a lease that ends after `ttlSeconds` and not much later; 0 for keys that stay. */
  async forTtl(ttlSeconds: number): Promise<number> {
    if (ttlSeconds <= 0) return 0;
    const nowMs = this.#clock.monotonicMs();
    let lease = this.#shared;
    if (
      lease === undefined ||
      lease.ttlSeconds !== ttlSeconds ||
      lease.keys >= maxKeysOfLease ||
      nowMs - lease.startedMs > lease.sharedMs
    ) {
      const shared = Math.min(maxSharedSeconds, Math.floor(ttlSeconds * maxSharedPart));
      lease = {
        id: this.#grant(ttlSeconds + shared),
        ttlSeconds,
        startedMs: nowMs,
        sharedMs: shared * 1000,
        keys: 0,
      };
      this.#shared = lease;
      lease.id.catch(() => this.forget());
    }
    lease.keys++;
    return await lease.id;
  }

  /** Takes a new lease next time: the shared one is gone. */
  forget(): void {
    this.#shared = undefined;
  }

  /** Ids are chosen here, because those of etcd are larger than numbers can say exactly. */
  async #grant(ttlSeconds: number): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const id = Math.max(this.#lastId + 1, this.#clock.now() * 1000);
      this.#lastId = id;
      try {
        await this.#connection.call(leaseGrantMethod, encodeLeaseGrant(id, ttlSeconds));
        return id;
      } catch (error) {
        if (attempt === maxAttempts || !isLeaseTaken(error)) throw error;
        this.#lastId = id + 1000 * attempt;
      }
    }
  }
}
