import type { CacheEntry } from './entry.ts';
import type { CacheEvent } from './event-ring.ts';

/** Weight of one more object in the mean size. */
const share = 1 / 16;

/**
 * What is known of a kind whose objects are left in the store: the states that the ring holds
 * anyway, by key, and the number and mean size of all.
 */
export class RecentEntries {
  readonly #latest = new Map<string, CacheEvent>();
  #size = 0;
  #averageBytes = 0;

  /** Objects in the store. */
  get size(): number {
    return this.#size;
  }

  /** Objects that are held. */
  get heldSize(): number {
    return this.#latest.size;
  }

  averageBytes(): number {
    return this.#averageBytes;
  }

  /** The state of an object that changed lately; who gets undefined has to ask the store. */
  get(key: string): CacheEntry | undefined {
    const change = this.#latest.get(key);
    return change === undefined || change.type === 'DELETED' ? undefined : change.entry;
  }

  /** Starts anew with the sizes of a few objects and the number of all. */
  reset(size: number, sampledBytes: readonly number[]): void {
    this.#latest.clear();
    this.#size = size;
    const bytes = sampledBytes.reduce((sum, one) => sum + one, 0);
    this.#averageBytes = sampledBytes.length === 0 ? 0 : bytes / sampledBytes.length;
  }

  /** Counts a change, also one that cannot be shown: the state before is not the latest any more. */
  count(key: string, type: CacheEvent['type'], sizeBytes: number): void {
    this.#latest.delete(key);
    if (type === 'ADDED') this.#size++;
    else if (type === 'DELETED') this.#size--;
    if (type === 'DELETED') return;
    const mean = this.#averageBytes;
    this.#averageBytes = mean === 0 ? sizeBytes : mean + (sizeBytes - mean) * share;
  }

  push(change: CacheEvent): void {
    this.#latest.set(change.entry.key, change);
  }

  /** Called when the ring drops a change. */
  drop(change: CacheEvent): void {
    const { key } = change.entry;
    if (this.#latest.get(key) === change) this.#latest.delete(key);
  }
}
