/**
 * The contract between the API server and whatever keeps its data. Revisions are positive safe
 * integers that grow by at least one with each change, shared by all keys, as in etcd.
 */

/** A value as stored. The bytes are owned by the store: read-only for everybody. */
export interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
}

/**
 * Makes the bytes of a change, so that the object can carry its own resourceVersion; must not
 * throw. A log calls it once, synchronously, in revision order. A store that learns the revision
 * from its database calls it with 0 for what is stored, which then carries no resourceVersion, and
 * again with the revision for its answer.
 */
export type Encode = (revision: number) => Buffer;

export interface ListOptions {
  /** At most this many items; 0 or absent for all. */
  limit?: number | undefined;
  /** Start after this key (exclusive), for paging. */
  after?: string | undefined;
  /** State at this revision; absent for the newest. */
  revision?: number | undefined;
}

export interface PageOptions extends ListOptions {
  /** At most this many items in a page. */
  pageItems: number;
}

export interface ListResult {
  readonly items: readonly KeyValue[];
  /** Revision of the state that the list shows. */
  readonly revision: number;
  /** Items that follow after the last one returned. */
  readonly remaining: number;
}

/** One change. A delete carries the last state as `value` (encoded at the delete's revision). */
export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  /**
   * Bytes before the change; absent for a create, and in live events when the backend was opened
   * with a `previousOf` callback that does not know the key.
   */
  readonly previous: Buffer | undefined;
}

export interface WatchHandler {
  /**
   * Events of one commit or more, in revision order, without gaps or repeats; never empty. Called
   * before the promises of these writes resolve, in the same turn. A handler that throws loses its
   * watch (and gets the error through onError). It may write, but not wait.
   */
  onEvents(events: readonly StoreEvent[]): void;
  /**
   * The watch ended by itself: compacted start revision, or a lost connection. Not called when the
   * owner closes the watch or the backend.
   */
  onError(error: Error): void;
}

export interface StoreWatch {
  close(): void;
}

export interface HistoryOptions {
  /** Changes above this revision. */
  after: number;
  /** The last revision wanted; must have happened. */
  through: number;
  /** With more changes than this there is no answer. */
  maxEvents: number;
}

/** What came of asking for the turn to compact a shared store. */
export interface CompactionTurn {
  /** The shared clock, to ask with at the next tick. */
  readonly turn: number;
  readonly isMine: boolean;
  readonly currentRevision: number;
}

export interface WriteOptions {
  /**
   * The key is deleted this many seconds after the write, unless it is written again: each write
   * has a lease of its own, as in kine. After a restart the whole time starts again.
   */
  ttlSeconds?: number | undefined;
}

/**
 * A multi-version key-value log. A promise of a write resolves after the change is durable: what
 * was acknowledged survives kill -9. Errors are StoreError (see errors.ts): `KeyExists`,
 * `RevisionMismatch` (carries the current KeyValue, or undefined when the key is gone),
 * `Compacted` (carries the compact revision), `FutureRevision`, `Closed`, `Unavailable` (nothing of
 * the write is visible; a write whose answer was lost with the process may still be durable).
 *
 * Writes are checked against the newest state, also that of writes which are not durable yet; their
 * answer, also a refusal, waits until that state is durable. Reads show durable state only.
 */
export interface Backend {
  /** Newest durable revision. */
  readonly currentRevision: number;
  /**
   * History before this revision is gone: it is the oldest one to read or list at, and the oldest
   * `after` of a watch.
   */
  readonly compactRevision: number;
  /** True when no other process can write: the newest state in memory is then the newest at all. */
  readonly exclusive: boolean;
  /** The newest revision at all, that of other processes included. */
  newestRevision(): Promise<number>;

  /** The newest state of a key, or the one at a revision; undefined when there is none. */
  get(key: string, revision?: number): Promise<KeyValue | undefined>;
  /**
   * Items whose keys start with `prefix`, in byte order of keys. Use `limit` for prefixes that may
   * hold many: a list is read and handed over in one piece.
   */
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /**
   * What `list` gives in pages of one state, at least one, for who looks for few among many. The
   * state is that of the moment at which the first is asked for. Compaction may wait for who has
   * begun: read on or leave the loop, and wait for nothing long in it.
   */
  pages(prefix: string, options: PageOptions): AsyncIterable<ListResult>;
  count(prefix: string): Promise<number>;
  create(key: string, encode: Encode, options?: WriteOptions): Promise<KeyValue>;
  /** Replaces the value if the key's modRevision is still `expected`. */
  update(key: string, expected: number, encode: Encode, options?: WriteOptions): Promise<KeyValue>;
  /** Deletes the key if its modRevision is `expected`; `encode` gives the bytes watchers see. */
  delete(key: string, expected: number, encode: Encode): Promise<KeyValue>;
  /** All changes with a revision above `after` under `prefix`; `Compacted` comes to onError. */
  watch(prefix: string, after: number, handler: WatchHandler): StoreWatch;
  /**
   * The changes of a stretch of history under `prefix`, with the values before; undefined when
   * there are more than `maxEvents`. Refuses with `Compacted`.
   */
  history(prefix: string, options: HistoryOptions): Promise<readonly StoreEvent[] | undefined>;
  /**
   * Forgets history up to `revision`; the newest state of each key stays. History is refused at
   * once, the promise resolves when the space is given back. Refuses with `Compacted` what is
   * compacted already.
   */
  compact(revision: number): Promise<void>;
  /**
   * For stores that several servers compact: asks for the turn, noting down the revision to which
   * the asker would compact. One asker gets each turn.
   */
  takeCompactionTurn?(turn: number, revision: number): Promise<CompactionTurn>;
  /** Bytes on disk, or in memory for drivers without files. */
  sizeBytes(): Promise<number>;
  /** Ends all watches; pending writes are finished first. */
  close(): Promise<void>;
}
