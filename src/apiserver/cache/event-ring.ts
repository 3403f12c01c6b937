import type { CacheEntry } from './entry.ts';

/** A change of one object, as every watcher of its kind sees it before selection. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** State after the change; for DELETED the last state, carrying the delete's revision. */
  readonly entry: CacheEntry;
  readonly previous: CacheEntry | undefined;
  readonly revision: number;
}

/**
 * The latest changes of one kind in revision order, so that a watch can resume. Bounded by number
 * and bytes: the oldest go, and a watcher that still needed them must list again.
 */
export class EventRing {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  #events: CacheEvent[] = [];
  /** Sequence number of the first event held. */
  #firstSequence = 0;
  #bytes = 0;
  #lowest: number;

  constructor(options: { maxEvents: number; maxBytes: number; startRevision: number }) {
    this.#maxEvents = options.maxEvents;
    this.#maxBytes = options.maxBytes;
    this.#lowest = options.startRevision;
  }

  /** All changes after this revision are held. */
  get lowestRevision(): number {
    return this.#lowest;
  }

  get firstSequence(): number {
    return this.#firstSequence;
  }

  /** Sequence number that the next event gets. */
  get nextSequence(): number {
    return this.#firstSequence + this.#events.length;
  }

  push(event: CacheEvent): void {
    this.#events.push(event);
    this.#bytes += event.entry.bytes.length;
    if (this.#events.length > this.#maxEvents || this.#bytes > this.#maxBytes) this.#trim();
  }

  /** Undefined when the event is gone or has not happened. */
  at(sequence: number): CacheEvent | undefined {
    return this.#events[sequence - this.#firstSequence];
  }

  /** Sequence number of the first event after `revision`, which must not be below lowestRevision. */
  sequenceAfter(revision: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#firstSequence + low;
  }

  /** Drops a quarter at once, so that the cost of moving the rest is spread over many pushes. */
  #trim(): void {
    let drop = Math.ceil(this.#events.length / 4);
    let bytes = this.#bytes;
    for (let i = 0; i < drop; i++) bytes -= (this.#events[i] as CacheEvent).entry.bytes.length;
    while (bytes > this.#maxBytes && drop < this.#events.length - 1) {
      bytes -= (this.#events[drop++] as CacheEvent).entry.bytes.length;
    }
    this.#lowest = (this.#events[drop - 1] as CacheEvent).revision;
    this.#events = this.#events.slice(drop);
    this.#firstSequence += drop;
    this.#bytes = bytes;
  }
}
