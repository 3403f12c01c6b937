import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '#base/clock.ts';
import { compactKey, pragma } from './sqlite-schema.ts';

/** A slice ends after this time, in the middle of a batch if need be: a commit waits behind it. */
const sliceMs = 4;

/** Rows looked at in one query; a slice may stop before it has used them all. */
const maxSliceRows = 500;

/** Free pages that stay in the file, to be used by the writes of the next minutes. */
const minFreePages = 256;
const maxFreeShare = 0.125;

const maxWalBytes = 4 * 1024 * 1024;

interface Row {
  id: number;
  name: string;
  prev_revision: number;
  deleted: number;
}

/**
 * Removes superseded rows in short transactions that each move the compact revision on, as kine
 * does in long ones; then gives free pages and the WAL's space back, also in pieces. `step` does
 * one piece and is called again until it says that all is done.
 */
export class SqliteCompaction {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #target: number;
  readonly #rows: StatementSync;
  readonly #remove: StatementSync;
  readonly #record: StatementSync;
  #done: number;
  #vacuumPages = 16;

  constructor(options: {
    db: DatabaseSync;
    path: string;
    clock: Clock;
    from: number;
    target: number;
  }) {
    const { db } = options;
    this.#db = db;
    this.#path = options.path;
    this.#clock = options.clock;
    this.#done = options.from;
    this.#target = options.target;
    this.#rows = db.prepare(
      `SELECT id, name, prev_revision, deleted FROM kine NOT INDEXED
        WHERE id > ? AND id <= ? ORDER BY id LIMIT ${maxSliceRows}`,
    );
    this.#remove = db.prepare('DELETE FROM kine WHERE id = ?');
    this.#record = db.prepare('UPDATE kine SET prev_revision = ? WHERE name = ?');
  }

  /** True when nothing is left to do. */
  step(): boolean {
    if (this.#done < this.#target) {
      this.#removeRows();
      return false;
    }
    if (this.#vacuum()) return false;
    this.#checkpoint();
    return true;
  }

  #removeRows(): void {
    const startMs = this.#clock.monotonicMs();
    // A compaction that is lost in a crash is repeated: no need to wait for the disk.
    this.#db.exec('PRAGMA synchronous = NORMAL');
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const rows = this.#rows.all(this.#done, this.#target) as unknown as Row[];
      let through = rows.length < maxSliceRows ? this.#target : rows.at(-1)!.id;
      for (const row of rows) {
        if (row.name !== compactKey) {
          if (row.prev_revision !== 0) this.#remove.run(row.prev_revision);
          if (row.deleted !== 0) this.#remove.run(row.id);
        }
        if (this.#clock.monotonicMs() - startMs > sliceMs) {
          through = row.id;
          break;
        }
      }
      this.#record.run(through, compactKey);
      this.#db.exec('COMMIT');
      this.#done = through;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL');
    }
  }

  /** Moves some free pages to the end of the file and cuts them off; false when few are left. */
  #vacuum(): boolean {
    if (pragma(this.#db, 'auto_vacuum') !== 2) return false;
    const free = pragma(this.#db, 'freelist_count');
    const keep = Math.max(minFreePages, pragma(this.#db, 'page_count') * maxFreeShare);
    if (free <= keep) return false;
    const startMs = this.#clock.monotonicMs();
    const pages = Math.min(this.#vacuumPages, Math.ceil(free - keep));
    this.#db.exec(`PRAGMA incremental_vacuum(${pages})`);
    const tookMs = this.#clock.monotonicMs() - startMs;
    if (tookMs < sliceMs / 2) this.#vacuumPages = Math.min(this.#vacuumPages * 2, 4096);
    else if (tookMs > sliceMs) this.#vacuumPages = Math.max(this.#vacuumPages >> 1, 4);
    return true;
  }

  #checkpoint(): void {
    const wal = statSync(`${this.#path}-wal`, { throwIfNoEntry: false });
    const mode = (wal?.size ?? 0) > maxWalBytes ? 'TRUNCATE' : 'PASSIVE';
    this.#db.exec(`PRAGMA wal_checkpoint(${mode})`);
  }
}
