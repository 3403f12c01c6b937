import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { traced } from '#base/trace.ts';
import type {
  Backend,
  CompactionTurn,
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
} from '../../backend.ts';
import { StoreError } from '../../errors.ts';
import { rangeStart } from '../../sorted-keys.ts';
import type { EtcdConnection } from './connection.ts';
import {
  compacted,
  futureRevision,
  isCompacted,
  isFutureRevision,
  isLeaseGone,
  unavailable,
} from './etcd-errors.ts';
import { EtcdWatch } from './etcd-watch.ts';
import { Leases } from './leases.ts';
import {
  encodeCompaction,
  encodeRange,
  encodeTxn,
  type EtcdKeyValue,
  type RangeRequest,
  type RangeResponse,
  type TxnResponse,
} from './messages.ts';
import {
  compactMethod,
  rangeEndOf,
  rangeMethod,
  rangeStartOf,
  statusMethod,
  txnMethod,
} from './methods.ts';

/** Items of one read; a list is read in as many as it takes, all at one revision. */
const pageItems = 5000;

/** Agreed on by all API servers of an etcd, upstream's too. */
const compactionKey = 'compact_rev_key';

/** Revision handed to `Encode` while the real one is not known: none is written down. */
const unknownRevision = 0;

/**
 * The datastore in an etcd cluster, which other servers may share: keys and values are those of an
 * upstream API server. A write is decided by etcd; its revision is known with the answer, so that
 * stored values carry none.
 */
export class EtcdBackend implements Backend {
  readonly exclusive = false;
  readonly #connection: EtcdConnection;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #leases: Leases;
  readonly #watches = new Set<EtcdWatch>();
  readonly #pending = new Set<Promise<unknown>>();
  #currentRevision = 0;
  #compactRevision = 0;
  #nextRead: Promise<number> | undefined;
  #reading: Promise<number> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: { connection: EtcdConnection; clock: Clock; log: Logger }) {
    this.#connection = options.connection;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#leases = new Leases(options);
  }

  /** The newest revision that this process has heard of. */
  get currentRevision(): number {
    return this.#currentRevision;
  }

  /** What this process knows of compactions; others may have gone further. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Calls that arrive while one is asked share the one after it. */
  newestRevision(): Promise<number> {
    this.#checkOpen();
    if (this.#nextRead !== undefined) return this.#nextRead;
    const read = async (): Promise<number> => {
      await this.#reading?.catch(() => undefined);
      this.#nextRead = undefined;
      this.#reading = this.#range({ key: compactionKey, isCountOnly: true }).then(
        (answer) => answer.revision,
      );
      return await this.#reading;
    };
    this.#nextRead = read();
    return this.#nextRead;
  }

  async get(key: string, revision?: number): Promise<KeyValue | undefined> {
    this.#checkOpen();
    const { items } = await this.#range({ key, revision });
    return items[0] === undefined ? undefined : itemOf(items[0]);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const items: KeyValue[] = [];
    let revision = 0;
    let remaining = 0;
    for await (const page of this.pages(prefix, { ...options, pageItems })) {
      items.push(...page.items);
      ({ revision, remaining } = page);
    }
    return { items, revision, remaining };
  }

  async *pages(prefix: string, options: PageOptions): AsyncGenerator<ListResult> {
    this.#checkOpen();
    const rangeEnd = rangeEndOf(prefix);
    let left = options.limit === undefined || options.limit === 0 ? Infinity : options.limit;
    let key = rangeStartOf(rangeStart(prefix, options.after ?? ''));
    let { revision } = options;
    for (;;) {
      const limit = Math.min(left, options.pageItems);
      const page = await this.#range({ key, rangeEnd, limit, revision });
      revision ??= page.revision;
      const remaining = Math.max(page.count - page.items.length, 0);
      yield { items: page.items.map(itemOf), revision, remaining };
      left -= page.items.length;
      if (remaining === 0 || left <= 0) return;
      key = `${page.items.at(-1)?.key ?? key}\0`;
    }
  }

  async count(prefix: string): Promise<number> {
    this.#checkOpen();
    const rangeEnd = rangeEndOf(prefix);
    return (await this.#range({ key: rangeStartOf(prefix), rangeEnd, isCountOnly: true })).count;
  }

  async create(key: string, encode: Encode, options?: WriteOptions): Promise<KeyValue> {
    return await this.#write('create', key, 0, encode, options);
  }

  async update(
    key: string,
    expected: number,
    encode: Encode,
    options?: WriteOptions,
  ): Promise<KeyValue> {
    return await this.#write('update', key, expected, encode, options);
  }

  async delete(key: string, expected: number, encode: Encode): Promise<KeyValue> {
    return await this.#write('delete', key, expected, encode);
  }

  watch(prefix: string, after: number, handler: WatchHandler): StoreWatch {
    this.#checkOpen();
    if (after < this.#compactRevision) return this.#refusedWatch(after, handler);
    const watch = new EtcdWatch({
      connection: this.#connection,
      clock: this.#clock,
      log: this.#log,
      prefix,
      after,
      handler,
      onRevision: (revision) => this.#saw(revision),
      onCompacted: (revision) => this.#learnCompaction(revision),
      onClose: (closed) => void this.#watches.delete(closed),
    });
    this.#watches.add(watch);
    return watch;
  }

  /** Read through a watch of all keys: whatever the newest change was, it tells when to stop. */
  async history(
    prefix: string,
    { after, through, maxEvents }: HistoryOptions,
  ): Promise<readonly StoreEvent[] | undefined> {
    if (after >= through) return [];
    const found: StoreEvent[] = [];
    return await new Promise((resolve, reject) => {
      const finish = (result: readonly StoreEvent[] | undefined): void => {
        watch.close();
        resolve(result);
      };
      const watch = this.watch('', after, {
        onEvents(events) {
          for (const event of events) {
            if (event.modRevision <= through && event.key.startsWith(prefix)) found.push(event);
          }
          if (found.length > maxEvents) finish(undefined);
          else if ((events.at(-1)?.modRevision ?? 0) >= through) finish(found);
        },
        onError: reject,
      });
    });
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.#currentRevision) await this.newestRevision();
    if (revision > this.#currentRevision) throw futureRevision(revision, this.#currentRevision);
    try {
      await this.#connection.call(compactMethod, encodeCompaction(revision));
    } catch (error) {
      if (isCompacted(error)) throw compacted(revision, this.#compactRevision);
      throw unavailable(error);
    }
    this.#learnCompaction(revision);
  }

  /**
   * The agreement of upstream's servers: the key's version is a clock, and the one who moves it on
   * compacts, to the revision that it saw at the tick before.
   */
  async takeCompactionTurn(turn: number, revision: number): Promise<CompactionTurn> {
    this.#checkOpen();
    const put = { value: Buffer.from(String(revision)), lease: 0 };
    const answer = await this.#txn({
      key: compactionKey,
      compare: 'version',
      expected: turn,
      put,
      readsOnFailure: true,
    });
    if (answer.succeeded) {
      return { turn: turn + 1, isMine: true, currentRevision: answer.revision };
    }
    const held = answer.items[0];
    const other = Number(held?.value.toString());
    if (Number.isSafeInteger(other)) this.#learnCompaction(other);
    return { turn: held?.version ?? 0, isMine: false, currentRevision: answer.revision };
  }

  async sizeBytes(): Promise<number> {
    this.#checkOpen();
    try {
      return (await this.#connection.call(statusMethod, Buffer.alloc(0))).sizeBytes;
    } catch (error) {
      throw unavailable(error);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    for (const watch of this.#watches) watch.close();
    this.#connection.close();
  }

  async #write(
    kind: 'create' | 'update' | 'delete',
    key: string,
    expected: number,
    encode: Encode,
    options?: WriteOptions,
  ): Promise<KeyValue> {
    this.#checkOpen();
    const value = kind === 'delete' ? undefined : encode(unknownRevision);
    const work = traced('write.commit', { key }, () =>
      this.#commit(kind, key, expected, value, options?.ttlSeconds ?? 0),
    );
    this.#pending.add(work);
    try {
      const answer = await work;
      if (!answer.succeeded) throw refusal(kind, key, expected, answer.items[0]);
      const modRevision = answer.revision;
      const createRevision =
        kind === 'create' ? modRevision : (answer.items[0]?.createRevision ?? 0);
      return { key, value: encode(modRevision), createRevision, modRevision };
    } finally {
      this.#pending.delete(work);
    }
  }

  async #commit(
    kind: 'create' | 'update' | 'delete',
    key: string,
    expected: number,
    value: Buffer | undefined,
    ttlSeconds: number,
  ): Promise<TxnResponse> {
    for (let attempt = 1; ; attempt++) {
      try {
        const lease = await this.#leases.forTtl(Math.ceil(ttlSeconds));
        return await this.#txn({
          key,
          compare: 'modRevision',
          expected,
          put: value === undefined ? undefined : { value, lease },
          readsOnFailure: kind !== 'create',
          readsOnSuccess: kind === 'update',
        });
      } catch (error) {
        if (attempt > 1 || !isLeaseGone(error)) throw unavailable(error, key);
        this.#leases.forget();
      }
    }
  }

  async #txn(request: Parameters<typeof encodeTxn>[0]): Promise<TxnResponse> {
    try {
      const answer = await this.#connection.call(txnMethod, encodeTxn(request));
      this.#saw(answer.revision);
      return answer;
    } catch (error) {
      throw unavailable(error, request.key);
    }
  }

  async #range(request: RangeRequest): Promise<RangeResponse> {
    try {
      const answer = await this.#connection.call(rangeMethod, encodeRange(request));
      this.#saw(answer.revision);
      return answer;
    } catch (error) {
      const { revision = 0 } = request;
      if (isCompacted(error)) throw compacted(revision, this.#compactRevision);
      if (isFutureRevision(error)) throw futureRevision(revision, this.#currentRevision);
      throw unavailable(error, request.key);
    }
  }

  #refusedWatch(after: number, handler: WatchHandler): StoreWatch {
    let isClosed = false;
    const error = compacted(after, this.#compactRevision);
    queueMicrotask(() => {
      if (!isClosed) handler.onError(error);
    });
    return {
      close() {
        isClosed = true;
      },
    };
  }

  #saw(revision: number): void {
    if (revision > this.#currentRevision) this.#currentRevision = revision;
  }

  #learnCompaction(revision: number): void {
    if (revision > this.#compactRevision) this.#compactRevision = revision;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('Closed', 'The datastore is closed');
  }
}

function itemOf({ key, value, createRevision, modRevision }: EtcdKeyValue): KeyValue {
  return { key, value, createRevision, modRevision };
}

function refusal(
  kind: string,
  key: string,
  expected: number,
  current: EtcdKeyValue | undefined,
): StoreError {
  if (kind === 'create') return new StoreError('KeyExists', `Key "${key}" already exists`, { key });
  const now = current === undefined ? 'gone' : `at revision ${current.modRevision}`;
  return new StoreError(
    'RevisionMismatch',
    `Key "${key}" was expected at revision ${expected} and is ${now}`,
    current === undefined ? { key } : { key, current: itemOf(current) },
  );
}
