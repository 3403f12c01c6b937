import type { KeyValue, StoreEvent } from '../backend.ts';
import { type BackendOptions, LogBackend } from '../log-backend.ts';
import type { CommitDone, LogPage, LogRow, LogStorage } from '../log-storage.ts';
import { compareKeys } from '../sorted-keys.ts';

const maxPageRows = 1000;

/** A log in memory, with its history until it is compacted. Nothing survives the process. */
export function openMemory(options: BackendOptions): LogBackend {
  const heads = {
    keys: [],
    modRevisions: new Float64Array(),
    createRevisions: new Float64Array(),
    leases: new Float64Array(),
    deleted: new Uint8Array(),
  };
  // As in etcd and kine an empty store is at revision 1: resourceVersion 0 has another meaning.
  const state = { currentRevision: 1, compactRevision: 0, heads };
  return new LogBackend(new MemoryStorage(), state, options);
}

class MemoryStorage implements LogStorage {
  /** Rows by revision, in revision order. */
  #rows = new Map<number, LogRow>();
  /** Revisions of a key, oldest first. */
  readonly #revisions = new Map<string, number[]>();
  #newest = 1;

  commit(rows: readonly LogRow[], _wantPrevious: boolean, done: CommitDone): void {
    setImmediate(() => {
      const previous = rows.map((row) => this.#store(row));
      done(undefined, previous);
    });
  }

  async values(revisions: Float64Array): Promise<Buffer[]> {
    return Array.from(revisions, (revision) => this.#rows.get(revision)!.value);
  }

  async getAt(key: string, revision: number): Promise<KeyValue | undefined> {
    return this.#stateAt(key, revision);
  }

  async listAt(
    prefix: string,
    after: string,
    revision: number,
    limit: number,
  ): Promise<{ items: KeyValue[]; remaining: number }> {
    const all: KeyValue[] = [];
    for (const key of this.#revisions.keys()) {
      if (!key.startsWith(prefix) || (after !== '' && compareKeys(key, after) <= 0)) continue;
      const item = this.#stateAt(key, revision);
      if (item !== undefined) all.push(item);
    }
    all.sort((a, b) => compareKeys(a.key, b.key));
    const items = all.slice(0, limit);
    return { items, remaining: all.length - items.length };
  }

  changes(prefix: string, after: number, done: (result: LogPage | Error) => void): void {
    const events: StoreEvent[] = [];
    let through = after;
    // Revisions are dense except for rows that compaction removed, all of them at most `after`.
    while (through < this.#newest && events.length < maxPageRows) {
      const row = this.#rows.get(++through);
      if (row !== undefined && row.key.startsWith(prefix)) events.push(this.#eventOf(row));
    }
    done({ events, through });
  }

  async compact(revision: number): Promise<void> {
    for (const row of this.#rows.values()) {
      if (row.revision > revision) return;
      if (row.prevRevision !== 0) this.#drop(row.key, row.prevRevision);
      if (row.isDelete) this.#drop(row.key, row.revision);
    }
  }

  async sizeBytes(): Promise<number> {
    let bytes = 0;
    for (const row of this.#rows.values()) bytes += row.value.length + row.key.length;
    return bytes;
  }

  async close(): Promise<void> {
    this.#rows.clear();
    this.#revisions.clear();
  }

  #store(written: LogRow): Buffer | undefined {
    const row = rowOnly(written);
    this.#rows.set(row.revision, row);
    const revisions = this.#revisions.get(row.key);
    if (revisions === undefined) this.#revisions.set(row.key, [row.revision]);
    else revisions.push(row.revision);
    this.#newest = row.revision;
    return row.isCreate ? undefined : this.#rows.get(row.prevRevision)?.value;
  }

  #drop(key: string, revision: number): void {
    if (!this.#rows.delete(revision)) return;
    const left = this.#revisions.get(key)!.filter((other) => other !== revision);
    if (left.length === 0) this.#revisions.delete(key);
    else this.#revisions.set(key, left);
  }

  #stateAt(key: string, revision: number): KeyValue | undefined {
    const at = this.#revisions.get(key)?.findLast((other) => other <= revision);
    const row = at === undefined ? undefined : this.#rows.get(at);
    if (row === undefined || row.isDelete) return undefined;
    return { key, value: row.value, createRevision: row.createRevision, modRevision: row.revision };
  }

  #eventOf(row: LogRow): StoreEvent {
    return {
      type: row.isDelete ? 'delete' : 'put',
      key: row.key,
      value: row.value,
      createRevision: row.createRevision,
      modRevision: row.revision,
      previous: row.isCreate ? undefined : this.#rows.get(row.prevRevision)?.value,
    };
  }
}

/** Callers hand rows over as parts of their own requests; keeping those would keep what they hold. */
function rowOnly(row: LogRow): LogRow {
  const { revision, key, isCreate, isDelete, createRevision, prevRevision, lease, value } = row;
  return { revision, key, isCreate, isDelete, createRevision, prevRevision, lease, value };
}
