import type { CacheEntry } from './entry.ts';

/** A change of one object, as every watcher of its kind sees it before selection. */
export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** State after the change; for DELETED the last state, carrying the delete's revision. */
  readonly entry: CacheEntry;
  readonly previous: CacheEntry | undefined;
  readonly revision: number;
}

/** Calls of `age` that an event outlives. */
const agesKept = 2;

/**
 * The latest changes of one kind in revision order, so that a watch can resume. Bounded by number
 * and bytes: the oldest go, and a watcher that still needed them must list again. They also go with
 * time, see `age`: who resumes later than that is told from the store.
 */
export class EventRing {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #onDrop: ((event: CacheEvent) => void) | undefined;
  #events: CacheEvent[] = [];
  /** Sequence number of the first event held. */
  #firstSequence = 0;
  #bytes = 0;
  #lowest: number;
  /** Sequence numbers that came next at the latest calls of `age`, oldest first. */
  #ages: number[] = [];

  constructor(options: {
    maxEvents: number;
    maxBytes: number;
    startRevision: number;
    /** Told each event that goes. */
    onDrop?: (event: CacheEvent) => void;
  }) {
    this.#onDrop = options.onDrop;
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

  /**
   * Called at even intervals: drops what was there two calls ago. A burst would else be kept until
   * the next one.
   */
  age(): void {
    this.#ages.push(this.nextSequence);
    if (this.#ages.length <= agesKept) return;
    const drop = (this.#ages.shift() as number) - this.#firstSequence;
    if (drop > 0) this.#drop(drop);
  }

  /** Drops a quarter at once, so that the cost of moving the rest is spread over many pushes. */
  #trim(): void {
    let drop = Math.ceil(this.#events.length / 4);
    let bytes = this.#bytes - this.#bytesOf(0, drop);
    while (bytes > this.#maxBytes && drop < this.#events.length - 1) {
      bytes -= this.#bytesOf(drop, drop + 1);
      drop++;
    }
    this.#drop(drop);
  }

  #drop(count: number): void {
    this.#bytes -= this.#bytesOf(0, count);
    this.#lowest = (this.#events[count - 1] as CacheEvent).revision;
    if (this.#onDrop !== undefined) this.#events.slice(0, count).forEach(this.#onDrop);
    this.#events = this.#events.slice(count);
    this.#firstSequence += count;
  }

  #bytesOf(from: number, to: number): number {
    let bytes = 0;
    for (let i = from; i < to; i++) bytes += (this.#events[i] as CacheEvent).entry.bytes.length;
    return bytes;
  }
}
