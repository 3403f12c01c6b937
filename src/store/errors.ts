import { K3tsError } from '#base/errors.ts';
import type { KeyValue } from './backend.ts';

export type StoreErrorCode =
  | 'KeyExists'
  | 'RevisionMismatch'
  | 'Compacted'
  | 'FutureRevision'
  | 'Closed'
  | 'Refused'
  | 'Unavailable';

/**
 * A store operation that could not be done; `code` says why. Refused: the datastore answered, in
 * the words of the message, that it will not do this; trying again does not help.
 */
export class StoreError extends K3tsError {
  declare readonly code: StoreErrorCode;
  readonly key: string | undefined;
  /** With RevisionMismatch: what the key holds now, absent when it is gone. */
  readonly current: KeyValue | undefined;
  /** With Compacted: the oldest revision that can still be read. */
  readonly compactRevision: number | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    details: { key?: string; current?: KeyValue; compactRevision?: number; cause?: unknown } = {},
  ) {
    super(code, message, { cause: details.cause });
    this.name = 'StoreError';
    this.key = details.key;
    this.current = details.current;
    this.compactRevision = details.compactRevision;
  }
}
