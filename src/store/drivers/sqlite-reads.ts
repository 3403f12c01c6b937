import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LogState } from '../log-storage.ts';
import { lastCharacter, rangeStart } from '../sorted-keys.ts';
import { packValues, type PackedValues, readChunkBytes } from './packed-values.ts';
import type { ChangesAnswer, ItemColumns, ListAnswer } from './sqlite-messages.ts';
import { isCreateFlag, isDeleteFlag } from './sqlite-messages.ts';
import { compactKey } from './sqlite-schema.ts';

/** Bounds of one page of history, so that commits are not held up by a replay. */
const maxPageRows = 1000;
const maxPageBytes = 2 * 1024 * 1024;

type Value = Uint8Array | undefined;

/** What a BLOB column holds: bytes, or text when somebody edited the file by hand. */
type Stored = Uint8Array | string | null;

function bytesOf(stored: Stored): Uint8Array {
  return typeof stored === 'string' ? Buffer.from(stored) : (stored ?? new Uint8Array());
}

/** Rows that kine and k3ts keep for themselves. */
function isInternal(name: string): boolean {
  return name === compactKey || name.startsWith('gap-');
}

/** The queries of the worker. Kine stores create_revision 0 in the row that creates a key. */
export class SqliteReads {
  readonly #db: DatabaseSync;
  readonly #value: StatementSync;
  readonly #stateAt: StatementSync;
  readonly #newestAt: StatementSync;
  readonly #countAt: StatementSync;
  readonly #changes: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#value = this.#prepare('SELECT value FROM kine WHERE id = ?');
    this.#stateAt = this.#prepare(
      `SELECT id, deleted, created, create_revision, value FROM kine
        WHERE name = ? AND id <= ? ORDER BY id DESC LIMIT 1`,
    );
    this.#newestAt = this.#prepare(
      `SELECT name, MAX(id) FROM kine INDEXED BY kine_name_id_index
        WHERE name >= ? AND name < ? AND id <= ? GROUP BY name`,
    );
    // both sides from indexes: the values lie between the rows of the table
    this.#countAt = this.#prepare(
      `SELECT count(*) FROM (
          SELECT MAX(id) AS id FROM kine INDEXED BY kine_name_id_index
            WHERE name > ? AND name < ? AND id <= ?
              AND name <> '${compactKey}' AND name NOT GLOB 'gap-*' GROUP BY name
        ) AS newest
        JOIN kine AS kv INDEXED BY kine_id_deleted_index ON kv.id = newest.id
        WHERE kv.deleted = 0`,
    );
    this.#changes = this.#prepare(
      `SELECT id, name, deleted, created, create_revision, prev_revision, value, old_value
        FROM kine NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?`,
    );
  }

  state(): LogState {
    const one = (sql: string): number => {
      const row = this.#prepare(sql).get() as unknown as [number | null] | undefined;
      return row?.[0] ?? 0;
    };
    // MAX(id) alone would go back when compaction took the newest row, a delete.
    const currentRevision = Math.max(
      one('SELECT MAX(id) FROM kine'),
      one("SELECT seq FROM sqlite_sequence WHERE name = 'kine'"),
    );
    const compactRevision = one(`SELECT MAX(prev_revision) FROM kine WHERE name = '${compactKey}'`);
    const newest = this.#prepare(
      `SELECT kv.name, kv.id, kv.created, kv.create_revision, kv.lease, kv.deleted
        FROM (SELECT MAX(id) AS id FROM kine GROUP BY name) AS newest
        JOIN kine AS kv ON kv.id = newest.id ORDER BY kv.name`,
    ).all() as unknown as [string, number, number, number, number, number][];
    const rows = newest.filter(([name]) => !isInternal(name));
    return {
      currentRevision,
      compactRevision,
      heads: {
        keys: rows.map((row) => row[0]),
        modRevisions: Float64Array.from(rows, (row) => row[1]),
        createRevisions: Float64Array.from(rows, (row) => (row[2] === 1 ? row[1] : row[3])),
        leases: Float64Array.from(rows, (row) => row[4] ?? 0),
        deleted: Uint8Array.from(rows, (row) => (row[5] === 0 ? 0 : 1)),
      },
    };
  }

  value(revision: number): Value {
    const row = this.#value.get(revision) as unknown as [Stored] | undefined;
    return row === undefined ? undefined : bytesOf(row[0]);
  }

  values(revisions: Float64Array): PackedValues {
    const values = Array.from(revisions, (revision) => {
      const value = this.value(revision);
      if (value === undefined) throw new Error(`Row ${revision} is missing in the datastore`);
      return value;
    });
    return packValues(values, readChunkBytes);
  }

  getAt(key: string, revision: number): ItemColumns {
    const items = new Items();
    this.#addStateAt(items, key, revision);
    return items.pack();
  }

  listAt(prefix: string, after: string, revision: number, limit: number): ListAnswer {
    const items = new Items();
    const end = prefix + lastCharacter;
    for (const row of this.#newestAt.iterate(rangeStart(prefix, after), end, revision)) {
      const [name, id] = row as unknown as [string, number];
      if (isInternal(name)) continue;
      this.#addStateAt(items, name, id);
      if (items.keys.length >= limit) {
        return { ...items.pack(), remaining: this.#countAfter(name, end, revision) };
      }
    }
    return { ...items.pack(), remaining: 0 };
  }

  changes(prefix: string, after: number, newest: number): ChangesAnswer {
    const items = new Items();
    const previous: Value[] = [];
    const flags: number[] = [];
    let through = after;
    let rows = 0;
    let bytes = 0;
    for (const raw of this.#changes.iterate(after, maxPageRows)) {
      const row = raw as unknown as ChangeRow;
      const [id, name, deleted, created, createRevision, prevRevision, value, oldValue] = row;
      through = id;
      rows++;
      if (!isInternal(name) && name.startsWith(prefix)) {
        const isCreate = created === 1;
        const before = isCreate ? undefined : (this.value(prevRevision) ?? bytesOf(oldValue));
        items.add(name, id, isCreate ? id : createRevision, bytesOf(value));
        previous.push(before);
        flags.push((isCreate ? isCreateFlag : 0) | (deleted !== 0 ? isDeleteFlag : 0));
        bytes += (value?.length ?? 0) + (before?.length ?? 0);
      }
      if (bytes > maxPageBytes) break;
    }
    if (rows < maxPageRows && bytes <= maxPageBytes) through = Math.max(through, newest);
    return { ...items.pack(), previous: packValues(previous, readChunkBytes), flags, through };
  }

  #addStateAt(items: Items, key: string, revision: number): void {
    const row = this.#stateAt.get(key, revision) as unknown as StateRow | undefined;
    if (row === undefined) return;
    const [id, deleted, created, createRevision, value] = row;
    if (deleted !== 0) return;
    items.add(key, id, created === 1 ? id : createRevision, bytesOf(value));
  }

  #countAfter(name: string, end: string, revision: number): number {
    const [count] = this.#countAt.get(name, end, revision) as unknown as [number];
    return count;
  }

  /** Statements give rows as arrays: less work than objects. */
  #prepare(sql: string): StatementSync {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  }
}

type StateRow = [
  id: number,
  deleted: number,
  created: number,
  createRevision: number,
  value: Stored,
];

type ChangeRow = [
  id: number,
  name: string,
  deleted: number,
  created: number,
  createRevision: number,
  prevRevision: number,
  value: Stored,
  oldValue: Stored,
];

class Items {
  readonly keys: string[] = [];
  readonly #modRevisions: number[] = [];
  readonly #createRevisions: number[] = [];
  readonly #values: Uint8Array[] = [];

  add(key: string, modRevision: number, createRevision: number, value: Uint8Array): void {
    this.keys.push(key);
    this.#modRevisions.push(modRevision);
    this.#createRevisions.push(createRevision);
    this.#values.push(value);
  }

  pack(): ItemColumns {
    return {
      keys: this.keys,
      modRevisions: this.#modRevisions,
      createRevisions: this.#createRevisions,
      values: packValues(this.#values, readChunkBytes),
    };
  }
}
