import type { UnknownObject } from '#schema/mod.ts';
import type { Backend, KeyValue } from '#store/mod.ts';
import { StoreError } from '#store/mod.ts';
import { plainError, serviceUnavailable } from '../api-errors.ts';
import type { CacheEntry, PrefixCache, WatchCache } from '../cache/mod.ts';
import type { StoreMeter, StoreOperation } from '../metrics/mod.ts';
import { storedVersionOf } from '../cache/mod.ts';

/** Thrown when the object changed since it was read; `current` is what it is now. */
export class StaleObject extends Error {
  readonly current: CacheEntry | undefined;

  constructor(current: CacheEntry | undefined) {
    super('object changed since it was read');
    this.current = current;
  }
}

/** Thrown by create when the key is taken. */
export class KeyTaken extends Error {}

/**
 * Writes objects to the store and waits until the cache shows them. An object handed in belongs to
 * the store afterwards: it gets its resourceVersion and becomes the shared one.
 */
export class ObjectStore {
  readonly #backend: Backend;
  readonly #watchCache: WatchCache;
  readonly #meter: StoreMeter | undefined;

  constructor(options: { backend: Backend; watchCache: WatchCache; meter?: StoreMeter }) {
    this.#meter = options.meter;
    this.#backend = options.backend;
    this.#watchCache = options.watchCache;
  }

  /** Makes the kind readable; undefined when it already is. */
  ready(cache: PrefixCache): Promise<void> {
    return this.#watchCache.add(cache);
  }

  async create(
    cache: PrefixCache,
    key: string,
    object: UnknownObject,
    ttlSeconds?: number,
  ): Promise<CacheEntry> {
    const options = ttlSeconds === undefined ? undefined : { ttlSeconds };
    return await this.#measured(
      'create',
      cache,
      key,
      this.#entryMaker(cache, key, object),
      (encode) => this.#backend.create(key, encode, options),
    );
  }

  async update(
    cache: PrefixCache,
    old: CacheEntry,
    object: UnknownObject,
    ttlSeconds?: number,
  ): Promise<CacheEntry> {
    const options = ttlSeconds === undefined ? undefined : { ttlSeconds };
    const { key, revision } = old;
    return await this.#measured(
      'update',
      cache,
      key,
      this.#entryMaker(cache, key, object),
      (encode) => this.#backend.update(key, revision, encode, options),
    );
  }

  /** Deletes; watchers and the answer show `last`, or the stored state without one. */
  async delete(cache: PrefixCache, old: CacheEntry, last?: UnknownObject): Promise<CacheEntry> {
    const { key, revision } = old;
    const make = last === undefined ? repeater(cache, old) : this.#entryMaker(cache, key, last);
    return await this.#measured('delete', cache, key, make, (encode) =>
      this.#backend.delete(key, revision, encode),
    );
  }

  #entryMaker(cache: PrefixCache, key: string, object: UnknownObject): EntryMaker {
    const encoded = cache.layout.encode(object);
    return (revision) => {
      object.metadata.resourceVersion = String(revision);
      object.apiVersion = storedVersionOf(cache.layout, object);
      object.kind = cache.layout.kind;
      const entry = cache.entryOf(key, encoded.bytes(revision), revision, object);
      entry.remember(object);
      return entry;
    };
  }

  async #measured(
    operation: StoreOperation,
    cache: PrefixCache,
    key: string,
    make: EntryMaker,
    write: (encode: (revision: number) => Buffer) => Promise<KeyValue>,
  ): Promise<CacheEntry> {
    const startMs = this.#meter?.nowMs() ?? 0;
    try {
      return await this.#commit(cache, key, make, write);
    } finally {
      this.#meter?.observe(operation, cache.prefix, startMs);
    }
  }

  async #commit(
    cache: PrefixCache,
    key: string,
    make: EntryMaker,
    write: (encode: (revision: number) => Buffer) => Promise<KeyValue>,
  ): Promise<CacheEntry> {
    let made: CacheEntry | undefined;
    const encode = (revision: number): Buffer => {
      if (made !== undefined) this.#watchCache.withdraw(made);
      made = make(revision);
      this.#watchCache.announce(made);
      return made.bytes;
    };
    try {
      const stored = await write(encode);
      const wait = this.#watchCache.waitForRevision(stored.modRevision);
      if (wait !== undefined) await wait;
      if (made?.revision === stored.modRevision) return made;
      return cache.entryFrom(key, stored.value, stored.modRevision);
    } catch (error) {
      throw this.#translate(cache, key, error);
    } finally {
      if (made !== undefined) this.#watchCache.withdraw(made);
    }
  }

  #translate(cache: PrefixCache, key: string, error: unknown): unknown {
    if (!(error instanceof StoreError)) return error;
    if (error.code === 'KeyExists') return new KeyTaken(key);
    if (error.code === 'RevisionMismatch') {
      const { current } = error;
      if (current === undefined) return new StaleObject(undefined);
      return new StaleObject(cache.entryFrom(key, current.value, current.modRevision));
    }
    if (error.code === 'Closed' || error.code === 'Unavailable') {
      return serviceUnavailable(error.message, error);
    }
    return plainError(error.message, error);
  }
}

/** Makes the entry of a write once its revision is known. */
type EntryMaker = (revision: number) => CacheEntry;

/** The stored state again, under the revision of its delete. */
function repeater(cache: PrefixCache, old: CacheEntry): EntryMaker {
  const encoded = cache.layout.reencode(old.bytes);
  return (revision) => old.at(revision, encoded.bytes(revision));
}
