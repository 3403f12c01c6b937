import type { LogState } from '../log-storage.ts';
import type { PackedValues } from './packed-values.ts';

/** Numbers of one row in `CommitRequest.numbers`. */
export const numbersPerRow = 5;
export const isCreateFlag = 1;
export const isDeleteFlag = 2;

export interface CommitRequest {
  op: 'commit';
  keys: string[];
  /** For each row: revision, createRevision, prevRevision, lease, flags. */
  numbers: Float64Array;
  values: PackedValues;
  wantPrevious: boolean;
}

/** Everything the main thread asks of the worker; `id` comes back with the answer. */
export type Request = { id: number } & (
  | CommitRequest
  | { op: 'values'; revisions: Float64Array }
  | { op: 'get'; key: string; revision: number }
  | { op: 'list'; prefix: string; after: string; revision: number; limit: number }
  | { op: 'changes'; prefix: string; after: number }
  | { op: 'compact'; revision: number }
  | { op: 'size' }
  | { op: 'close' }
);

/** States of keys as columns, values packed. */
export interface ItemColumns {
  keys: string[];
  modRevisions: number[];
  createRevisions: number[];
  values: PackedValues;
}

export interface ListAnswer extends ItemColumns {
  remaining: number;
}

export interface ChangesAnswer extends ItemColumns {
  /** Flags of each row. */
  flags: number[];
  previous: PackedValues;
  through: number;
}

/** The answer to `id`; 0 is the answer to opening the file. */
export type Reply =
  | { id: number; error?: undefined; result: unknown }
  | { id: number; error: string; result?: undefined };

export interface Results {
  open: LogState;
  commit: PackedValues | undefined;
  values: PackedValues;
  get: ItemColumns;
  list: ListAnswer;
  changes: ChangesAnswer;
  compact: undefined;
  size: number;
  close: undefined;
}

export interface WorkerSettings {
  path: string;
  /** How long to wait for a lock that another program holds on the file. */
  busyTimeoutMs: number;
}
