import { messageOf } from '#base/errors.ts';
import type { Encode, KeyValue } from './backend.ts';
import { StoreError } from './errors.ts';
import type { HeadIndex } from './head-index.ts';
import type { Head, LogRow, LogStorage } from './log-storage.ts';

/** Bounds of one transaction: they keep the latency of what waits behind it low. */
const maxBatchRows = 512;
const maxBatchBytes = 8 * 1024 * 1024;

/** Writes that may wait; above it a write is refused. API flow control stays far below. */
const maxPendingWrites = 20_000;

export interface WriteRequest {
  readonly kind: 'create' | 'update' | 'delete';
  readonly key: string;
  /** The modRevision to replace; not used by a create. */
  readonly expected: number;
  readonly encode: Encode;
  readonly lease: number;
}

interface Attempt {
  readonly request: WriteRequest;
  readonly resolve: (item: KeyValue) => void;
  readonly reject: (error: Error) => void;
}

/** A write that has its revision but is not durable yet. */
export interface PendingWrite extends LogRow {
  readonly attempt: Attempt;
  /** Writes that this one refuses; whether they are wrong is known once this one is durable. */
  readonly waiting: Attempt[];
}

export interface WriteQueueOptions {
  heads: HeadIndex;
  storage: LogStorage;
  currentRevision: number;
  /** Whether the storage shall hand over the values before each change. */
  wantsPrevious: () => boolean;
  /** Publishes a durable batch; the promises of its writes resolve right after. */
  onCommitted: (
    writes: readonly PendingWrite[],
    previous: readonly (Buffer | undefined)[] | undefined,
  ) => void;
}

/**
 * Group commit. A write is checked against the newest pending state, gets its revision and its
 * bytes at once, and joins the next transaction; all writes that arrive while a commit runs share
 * the one after it. When a commit fails, everything that was built on it fails too and the pending
 * state is dropped, so that memory again says what the log says.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  readonly #pending = new Map<string, PendingWrite>();
  #queue: PendingWrite[] = [];
  #inFlight: readonly PendingWrite[] | undefined;
  #isScheduled = false;
  #nextRevision: number;
  #durableRevision: number;
  #idle: (() => void)[] = [];

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    this.#durableRevision = options.currentRevision;
    this.#nextRevision = options.currentRevision + 1;
  }

  get durableRevision(): number {
    return this.#durableRevision;
  }

  submit(request: WriteRequest): Promise<KeyValue> {
    return new Promise((resolve, reject) => this.#try({ request, resolve, reject }));
  }

  /** Resolves once nothing is pending. */
  async whenIdle(): Promise<void> {
    while (this.#inFlight !== undefined || this.#queue.length > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #try(attempt: Attempt): void {
    const { request } = attempt;
    const pending = this.#pending.get(request.key);
    const head = pending === undefined ? this.#options.heads.get(request.key) : headOf(pending);
    if (!matches(request, head)) {
      if (pending !== undefined) pending.waiting.push(attempt);
      else void this.#refuse(attempt, head);
      return;
    }
    if (this.#queue.length >= maxPendingWrites) {
      const message = `More than ${maxPendingWrites} writes are waiting for the datastore`;
      attempt.reject(new StoreError('Unavailable', message, { key: request.key }));
      return;
    }
    const revision = this.#nextRevision;
    let value: Buffer;
    try {
      value = request.encode(revision);
    } catch (error) {
      attempt.reject(error instanceof Error ? error : new Error(messageOf(error)));
      return;
    }
    this.#nextRevision = revision + 1;
    const isCreate = request.kind === 'create';
    const write: PendingWrite = {
      revision,
      key: request.key,
      isCreate,
      isDelete: request.kind === 'delete',
      createRevision: isCreate ? revision : head!.createRevision,
      prevRevision: isCreate ? this.#lastDelete(request.key, pending) : head!.modRevision,
      lease: request.lease,
      value,
      attempt,
      waiting: [],
    };
    this.#pending.set(request.key, write);
    this.#queue.push(write);
    this.#schedule();
  }

  #lastDelete(key: string, pending: PendingWrite | undefined): number {
    return pending === undefined ? this.#options.heads.tombstone(key) : pending.revision;
  }

  /** Waits for the end of this turn, so that writes that arrived together travel together. */
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight !== undefined) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#inFlight !== undefined || this.#queue.length === 0) return;
    const batch = this.#takeBatch();
    this.#inFlight = batch;
    this.#options.storage.commit(batch, this.#options.wantsPrevious(), (error, previous) => {
      this.#inFlight = undefined;
      if (error === undefined) this.#settle(batch, previous);
      else this.#rollBack(batch, error);
      if (this.#inFlight === undefined && this.#queue.length === 0) {
        for (const resolve of this.#idle.splice(0)) resolve();
      }
    });
  }

  #takeBatch(): PendingWrite[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && count < maxBatchRows && bytes < maxBatchBytes) {
      bytes += this.#queue[count++]!.value.length;
    }
    if (count < this.#queue.length) return this.#queue.splice(0, count);
    const batch = this.#queue;
    this.#queue = [];
    return batch;
  }

  #settle(
    batch: readonly PendingWrite[],
    previous: readonly (Buffer | undefined)[] | undefined,
  ): void {
    this.#durableRevision = batch.at(-1)!.revision;
    for (const write of batch) {
      this.#options.heads.apply(write);
      if (this.#pending.get(write.key) === write) this.#pending.delete(write.key);
    }
    // The storage works on the next batch while this one is published.
    this.#flush();
    this.#options.onCommitted(batch, previous);
    for (const write of batch) {
      const item = itemOf(write);
      write.attempt.resolve(item);
      for (const waiting of write.waiting) {
        waiting.reject(refusal(waiting.request, write.isDelete ? undefined : item));
      }
    }
  }

  #rollBack(batch: readonly PendingWrite[], error: Error): void {
    const failed = [...batch, ...this.#queue];
    this.#queue = [];
    this.#pending.clear();
    this.#nextRevision = this.#durableRevision + 1;
    for (const { key, attempt } of failed) {
      attempt.reject(new StoreError('Unavailable', error.message, { key, cause: error }));
    }
    for (const write of failed) for (const attempt of write.waiting) this.#try(attempt);
  }

  async #refuse(attempt: Attempt, head: Head | undefined): Promise<void> {
    const { request, reject } = attempt;
    if (request.kind === 'create' || head === undefined) {
      reject(refusal(request, undefined));
      return;
    }
    const { modRevision, createRevision } = head;
    try {
      const [value] = await this.#options.storage.values(Float64Array.of(modRevision));
      reject(refusal(request, { key: request.key, value: value!, createRevision, modRevision }));
    } catch (error) {
      reject(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }
}

function headOf(write: PendingWrite): Head | undefined {
  if (write.isDelete) return undefined;
  const { revision, createRevision, lease } = write;
  return { modRevision: revision, createRevision, lease };
}

function matches(request: WriteRequest, head: Head | undefined): boolean {
  return request.kind === 'create' ? head === undefined : head?.modRevision === request.expected;
}

function itemOf(write: PendingWrite): KeyValue {
  const { key, value, createRevision, revision } = write;
  return { key, value, createRevision, modRevision: revision };
}

function refusal(request: WriteRequest, current: KeyValue | undefined): StoreError {
  const { kind, key, expected } = request;
  if (kind === 'create') return new StoreError('KeyExists', `Key "${key}" already exists`, { key });
  const now = current === undefined ? 'gone' : `at revision ${current.modRevision}`;
  return new StoreError(
    'RevisionMismatch',
    `Key "${key}" was expected at revision ${expected} and is ${now}`,
    current === undefined ? { key } : { key, current },
  );
}
