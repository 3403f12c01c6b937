import type { KeyValue, StoreEvent } from './backend.ts';

/** One change as it is written down: a row of kine's table. */
export interface LogRow {
  readonly revision: number;
  readonly key: string;
  readonly isCreate: boolean;
  readonly isDelete: boolean;
  /** Revision that created the key; the row's own for a create. */
  readonly createRevision: number;
  /** The row this one replaces: the state before, or the delete before a create; 0 for none. */
  readonly prevRevision: number;
  /** Seconds to live; 0 for ever. */
  readonly lease: number;
  readonly value: Buffer;
}

/** What is known in memory about the newest state of a key. */
export interface Head {
  readonly modRevision: number;
  readonly createRevision: number;
  readonly lease: number;
}

/** The newest state of every key, as columns: it may cross a thread. Keys are in byte order. */
export interface HeadColumns {
  readonly keys: readonly string[];
  readonly modRevisions: Float64Array;
  readonly createRevisions: Float64Array;
  readonly leases: Float64Array;
  /** 1 where the newest row is a delete that compaction has not removed. */
  readonly deleted: Uint8Array;
}

export interface LogState {
  readonly currentRevision: number;
  readonly compactRevision: number;
  readonly heads: HeadColumns;
}

/** A piece of history. All changes up to and with `through` were looked at. */
export interface LogPage {
  readonly events: readonly StoreEvent[];
  readonly through: number;
}

export type CommitDone = (
  error: Error | undefined,
  /** Values before each row, when they were asked for. */
  previous: readonly (Buffer | undefined)[] | undefined,
) => void;

/**
 * Where a single writer keeps its log. Requests are answered in the order in which they were made,
 * and callbacks run in that order too: a page's `through` is then the newest commit whose `done`
 * has run, which is what lets a watch pass from history to live events without a gap.
 */
export interface LogStorage {
  /** Writes all rows or none; `done` is called later, once they are durable. */
  commit(rows: readonly LogRow[], wantPrevious: boolean, done: CommitDone): void;
  /** Values of rows that exist, in the order asked for. */
  values(revisions: Float64Array): Promise<Buffer[]>;
  /** The state of a key at a revision that is not compacted. */
  getAt(key: string, revision: number): Promise<KeyValue | undefined>;
  listAt(
    prefix: string,
    after: string,
    revision: number,
    limit: number,
  ): Promise<{ items: KeyValue[]; remaining: number }>;
  /** The next changes under `prefix` after a revision; bounded in number and bytes. */
  changes(prefix: string, after: number, done: (result: LogPage | Error) => void): void;
  /** Removes superseded rows up to `revision` without holding up commits for long. */
  compact(revision: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}
