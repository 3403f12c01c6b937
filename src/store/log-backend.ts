import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { traced } from '#base/trace.ts';
import type {
  Backend,
  Encode,
  HistoryOptions,
  KeyValue,
  ListOptions,
  ListResult,
  PageOptions,
  StoreEvent,
  StoreWatch,
  WatchHandler,
  WriteOptions,
} from './backend.ts';
import { StoreError } from './errors.ts';
import { Expiry } from './expiry.ts';
import { HeadIndex } from './head-index.ts';
import type { Head, LogPage, LogState, LogStorage } from './log-storage.ts';
import { type HubWatch, WatchHub } from './watch-hub.ts';
import { type PendingWrite, WriteQueue } from './write-queue.ts';

/** Values asked of the storage at once. */
const valuesPerRead = 500;

/** What every driver takes beside its own settings. */
export interface BackendOptions {
  clock: Clock;
  log: Logger;
  /**
   * The bytes of a key before the change that is about to be published, for callers that keep them
   * anyway: the storage then need not read them for `StoreEvent.previous`. It is asked during the
   * hand-over of a commit, before any watch sees it; undefined leaves `previous` out.
   */
  previousOf?: ((key: string) => Buffer | undefined) | undefined;
  /** The bytes that watchers see when a lease ends; absent: the last value as it is. */
  encodeExpired?: ((item: KeyValue, revision: number) => Buffer) | undefined;
}

/**
 * A Backend for logs with one writer: it decides in memory what happens and in which order, the
 * storage only writes rows down and reads them back.
 */
export class LogBackend implements Backend {
  readonly exclusive = true;
  readonly #storage: LogStorage;
  readonly #options: BackendOptions;
  readonly #heads: HeadIndex;
  readonly #writes: WriteQueue;
  readonly #hub: WatchHub;
  readonly #expiry: Expiry;
  readonly #longReads = new Set<Promise<void>>();
  #compactRevision: number;
  #closing: Promise<void> | undefined;

  constructor(storage: LogStorage, state: LogState, options: BackendOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#heads = new HeadIndex(state.heads);
    this.#compactRevision = state.compactRevision;
    this.#hub = new WatchHub(options.log);
    this.#writes = new WriteQueue({
      heads: this.#heads,
      storage,
      currentRevision: state.currentRevision,
      wantsPrevious: () => options.previousOf === undefined && this.#hub.size > 0,
      onCommitted: (writes, previous) => this.#publish(writes, previous),
    });
    this.#expiry = new Expiry({
      clock: options.clock,
      log: options.log,
      isCurrent: (key, modRevision) => this.#heads.get(key)?.modRevision === modRevision,
      remove: (key, modRevision) => this.#expire(key, modRevision),
    });
    for (const [key, head] of this.#heads.leased()) {
      this.#expiry.track(key, head.modRevision, head.lease);
    }
  }

  get currentRevision(): number {
    return this.#writes.durableRevision;
  }

  get compactRevision(): number {
    return this.#compactRevision;
  }

  async newestRevision(): Promise<number> {
    this.#checkOpen();
    return this.currentRevision;
  }

  async get(key: string, revision?: number): Promise<KeyValue | undefined> {
    this.#checkOpen();
    if (revision !== undefined) this.#checkRevision(revision);
    const head = this.#heads.get(key);
    if (head !== undefined && (revision === undefined || head.modRevision <= revision)) {
      const [value] = await this.#storage.values(Float64Array.of(head.modRevision));
      const { createRevision, modRevision } = head;
      return { key, value: value!, createRevision, modRevision };
    }
    return revision === undefined ? undefined : await this.#storage.getAt(key, revision);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    this.#checkOpen();
    const current = this.currentRevision;
    const { after = '', revision = current } = options;
    const limit = limitOf(options);
    this.#checkRevision(revision);
    if (revision !== current) {
      return { ...(await this.#storage.listAt(prefix, after, revision, limit)), revision };
    }
    const { keys, remaining } = this.#heads.range(prefix, after, limit);
    if (keys.length <= valuesPerRead) {
      return { items: await this.#itemsOf(keys, this.#headsOf(keys)), revision, remaining };
    }
    const items: KeyValue[] = [];
    // in pieces, so that a long list does not hold up the commits and reads of others
    for await (const page of this.#newestPages(keys, valuesPerRead)) items.push(...page);
    return { items, revision, remaining };
  }

  async *pages(prefix: string, options: PageOptions): AsyncGenerator<ListResult> {
    this.#checkOpen();
    const { revision = this.currentRevision, pageItems } = options;
    this.#checkRevision(revision);
    let { after = '' } = options;
    let left = limitOf(options);
    if (revision === this.currentRevision) {
      const { keys, remaining } = this.#heads.range(prefix, after, left);
      let behind = keys.length + remaining;
      for await (const items of this.#newestPages(keys, pageItems)) {
        behind -= items.length;
        yield { items, revision, remaining: behind };
      }
      return;
    }
    for (;;) {
      this.#checkOpen();
      this.#checkRevision(revision);
      const limit = Math.min(pageItems, left);
      const page = await this.#storage.listAt(prefix, after, revision, limit);
      yield { ...page, revision };
      left -= page.items.length;
      if (page.remaining === 0 || left === 0) return;
      after = page.items.at(-1)!.key;
    }
  }

  /** The newest state of these keys as it is now; one empty page when there are none. */
  async *#newestPages(keys: readonly string[], pageItems: number): AsyncGenerator<KeyValue[]> {
    const heads = this.#headsOf(keys);
    // rows that a running list still wants must not be compacted away
    const done = Promise.withResolvers<void>();
    this.#longReads.add(done.promise);
    try {
      let at = 0;
      do {
        const end = at + pageItems;
        yield await this.#itemsOf(keys.slice(at, end), heads.slice(at, end));
        at = end;
      } while (at < keys.length);
    } finally {
      this.#longReads.delete(done.promise);
      done.resolve();
    }
  }

  #headsOf(keys: readonly string[]): Head[] {
    return keys.map((key) => this.#heads.get(key)!);
  }

  async #itemsOf(keys: readonly string[], heads: readonly Head[]): Promise<KeyValue[]> {
    const revisions = Float64Array.from(heads, (head) => head.modRevision);
    const values = await this.#storage.values(revisions);
    return keys.map((key, i) => {
      const { createRevision, modRevision } = heads[i]!;
      return { key, value: values[i]!, createRevision, modRevision };
    });
  }

  async count(prefix: string): Promise<number> {
    this.#checkOpen();
    return this.#heads.count(prefix);
  }

  create(key: string, encode: Encode, options?: WriteOptions): Promise<KeyValue> {
    return this.#write('create', key, 0, encode, options);
  }

  update(key: string, expected: number, encode: Encode, options?: WriteOptions): Promise<KeyValue> {
    return this.#write('update', key, expected, encode, options);
  }

  delete(key: string, expected: number, encode: Encode): Promise<KeyValue> {
    return this.#write('delete', key, expected, encode);
  }

  watch(prefix: string, after: number, handler: WatchHandler): StoreWatch {
    this.#checkOpen();
    const watch = this.#hub.add(prefix, after, handler);
    if (after >= this.currentRevision) watch.isLive = true;
    else queueMicrotask(() => this.#replay(watch));
    return watch;
  }

  async history(
    prefix: string,
    { after, through, maxEvents }: HistoryOptions,
  ): Promise<readonly StoreEvent[] | undefined> {
    this.#checkRevision(through);
    const found: StoreEvent[] = [];
    for (let position = after; position < through;) {
      this.#checkOpen();
      if (position < this.#compactRevision) throw compacted(position, this.#compactRevision);
      const page = await this.#changes(prefix, position);
      for (const event of page.events) if (event.modRevision <= through) found.push(event);
      if (found.length > maxEvents) return undefined;
      position = page.through;
    }
    return found;
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.currentRevision) throw futureRevision(revision, this.currentRevision);
    if (revision <= this.#compactRevision) throw compacted(revision, this.#compactRevision);
    this.#compactRevision = revision;
    await Promise.all(this.#longReads);
    await this.#storage.compact(revision);
    this.#heads.dropTombstones(revision);
  }

  async sizeBytes(): Promise<number> {
    this.#checkOpen();
    return await this.#storage.sizeBytes();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends the backend after the storage was lost: nothing can be written or watched any more. */
  fail(error: StoreError): void {
    this.#expiry.close();
    this.#hub.failAll(error);
  }

  async #close(): Promise<void> {
    this.#expiry.close();
    await this.#writes.whenIdle();
    this.#hub.closeAll();
    await this.#storage.close();
  }

  async #write(
    kind: 'create' | 'update' | 'delete',
    key: string,
    expected: number,
    encode: Encode,
    options?: WriteOptions,
  ): Promise<KeyValue> {
    this.#checkOpen();
    const lease = Math.ceil(options?.ttlSeconds ?? 0);
    return await traced('write.commit', { key }, () =>
      this.#writes.submit({ kind, key, expected, encode, lease }),
    );
  }

  #publish(
    writes: readonly PendingWrite[],
    previous: readonly (Buffer | undefined)[] | undefined,
  ): void {
    for (const { key, revision, lease } of writes) {
      if (lease > 0) this.#expiry.track(key, revision, lease);
    }
    if (this.#hub.size === 0) return;
    const { previousOf } = this.#options;
    // Keys written twice in this batch: the callback still knows the state before the batch only.
    const seen = new Map<string, Buffer>();
    const events: StoreEvent[] = writes.map((write, i) => {
      const { key, value, createRevision, revision } = write;
      const before = write.isCreate
        ? undefined
        : (seen.get(key) ?? (previousOf === undefined ? previous?.[i] : previousOf(key)));
      seen.set(key, value);
      const type = write.isDelete ? 'delete' : 'put';
      return { type, key, value, createRevision, modRevision: revision, previous: before };
    });
    this.#hub.publish(events);
  }

  /**
   * Reads history page by page. Answers come in the order of commits, so at the last page nothing
   * newer has been published and the watch can go live with it.
   */
  #replay(watch: HubWatch): void {
    if (watch.isClosed) return;
    if (watch.position < this.#compactRevision) {
      watch.fail(compacted(watch.position, this.#compactRevision));
      return;
    }
    this.#storage.changes(watch.prefix, watch.position, (page) => {
      if (watch.isClosed) return;
      if (page instanceof Error) {
        watch.fail(page);
        return;
      }
      watch.position = page.through;
      if (page.through >= this.currentRevision) watch.isLive = true;
      watch.deliver(page.events);
      if (!watch.isLive) this.#replay(watch);
    });
  }

  #changes(prefix: string, after: number): Promise<LogPage> {
    return new Promise((resolve, reject) => {
      this.#storage.changes(prefix, after, (page) => {
        if (page instanceof Error) reject(page);
        else resolve(page);
      });
    });
  }

  async #expire(key: string, modRevision: number): Promise<void> {
    const item = await this.get(key);
    if (item?.modRevision !== modRevision) return;
    const { encodeExpired } = this.#options;
    await this.delete(key, modRevision, (revision) =>
      encodeExpired === undefined ? item.value : encodeExpired(item, revision),
    );
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('Closed', 'The datastore is closed');
  }

  #checkRevision(revision: number): void {
    if (revision > this.currentRevision) throw futureRevision(revision, this.currentRevision);
    if (revision < this.#compactRevision) throw compacted(revision, this.#compactRevision);
  }
}

function limitOf({ limit = 0 }: ListOptions): number {
  return limit === 0 ? Infinity : limit;
}

function compacted(revision: number, compactRevision: number): StoreError {
  return new StoreError(
    'Compacted',
    `Revision ${revision} has been compacted, the oldest is ${compactRevision}`,
    { compactRevision },
  );
}

function futureRevision(revision: number, current: number): StoreError {
  return new StoreError(
    'FutureRevision',
    `Revision ${revision} is in the future, the newest is ${current}`,
  );
}
