import type { CacheEntry } from './entry.ts';
import type { CacheEvent } from './event-ring.ts';

/**
 * A change whose state before is only known as the store hands it out. It is read when a selection
 * asks for it, which that of a plain watch does not; what cannot be read counts as none.
 */
export class StoredChange implements CacheEvent {
  readonly type: CacheEvent['type'];
  readonly entry: CacheEntry;
  readonly revision: number;
  #previous: CacheEntry | undefined;
  #read: (() => CacheEntry) | undefined;

  constructor(init: {
    type: CacheEvent['type'];
    entry: CacheEntry;
    revision: number;
    readPrevious: () => CacheEntry;
  }) {
    this.type = init.type;
    this.entry = init.entry;
    this.revision = init.revision;
    this.#read = init.readPrevious;
  }

  get previous(): CacheEntry | undefined {
    const read = this.#read;
    if (read === undefined) return this.#previous;
    this.#read = undefined;
    try {
      this.#previous = read();
    } catch {
      // the state is past; whoever wrote it in a form that nobody reads was told then
      this.#previous = undefined;
    }
    return this.#previous;
  }
}
