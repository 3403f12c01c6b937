import { statSync } from 'node:fs';
import type { StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '#base/clock.ts';
import { DiskReserve, isDiskFull } from './disk-reserve.ts';
import { packValues, type PackedValues, transferOf, unpackValues } from './packed-values.ts';
import { SqliteCompaction } from './sqlite-compaction.ts';
import {
  type CommitRequest,
  isCreateFlag,
  isDeleteFlag,
  numbersPerRow,
  type Request,
  type WorkerSettings,
} from './sqlite-messages.ts';
import { SqliteReads } from './sqlite-reads.ts';
import { explain, type OpenFile, openFile, pragma } from './sqlite-schema.ts';

/** Pause between slices of a compaction while writes come in: they get most of the time. */
const pauseMs = 10;

const insertSql = `INSERT INTO kine
  (id, name, created, deleted, create_revision, prev_revision, lease, value, old_value)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** The thread that owns the file: one request at a time, in order of arrival. */
class SqliteWorker {
  readonly #path: string;
  readonly #file: OpenFile;
  readonly #reads: SqliteReads;
  readonly #insert: StatementSync;
  readonly #dataVersion: StatementSync;
  #knownVersion: number;
  readonly #reserve: DiskReserve;
  #newest: number;
  #compactRevision: number;
  #commits = 0;
  #isClosed = false;

  constructor(settings: WorkerSettings) {
    this.#path = settings.path;
    this.#file = openFile(settings.path, settings.busyTimeoutMs);
    this.#reserve = new DiskReserve(settings.path);
    this.#reserve.fill();
    this.#reads = new SqliteReads(this.#file.db);
    this.#insert = this.#file.db.prepare(insertSql);
    this.#dataVersion = this.#file.db.prepare('PRAGMA data_version');
    this.#knownVersion = pragma(this.#file.db, 'data_version');
    const state = this.#reads.state();
    this.#newest = state.currentRevision;
    this.#compactRevision = state.compactRevision;
    reply(0, state);
  }

  handle(request: Request): void {
    const { id } = request;
    try {
      switch (request.op) {
        case 'commit': {
          const previous = this.#commit(request);
          reply(id, previous, previous === undefined ? [] : transferOf(previous));
          break;
        }
        case 'values': {
          const values = this.#reads.values(request.revisions);
          reply(id, values, transferOf(values));
          break;
        }
        case 'get': {
          const answer = this.#reads.getAt(request.key, request.revision);
          reply(id, answer, transferOf(answer.values));
          break;
        }
        case 'list': {
          const { prefix, after, revision, limit } = request;
          const answer = this.#reads.listAt(prefix, after, revision, limit);
          reply(id, answer, transferOf(answer.values));
          break;
        }
        case 'changes': {
          const answer = this.#reads.changes(request.prefix, request.after, this.#newest);
          reply(id, answer, [...transferOf(answer.values), ...transferOf(answer.previous)]);
          break;
        }
        case 'compact':
          void this.#compact(id, request.revision);
          break;
        case 'size':
          reply(id, this.#sizeBytes());
          break;
        case 'close':
          this.#isClosed = true;
          this.#file.close();
          reply(id, undefined);
          parentPort!.close();
          break;
      }
    } catch (error) {
      refuse(id, explain(error, this.#path));
    }
  }

  #commit(request: CommitRequest): PackedValues | undefined {
    const { db } = this.#file;
    const { keys, numbers, wantPrevious } = request;
    const values = unpackValues(request.values);
    const previous: (Uint8Array | undefined)[] = [];
    this.#commits++;
    db.exec('BEGIN IMMEDIATE');
    try {
      this.#checkSoleWriter();
      for (let i = 0; i < keys.length; i++) {
        const at = i * numbersPerRow;
        const flags = numbers[at + 4]!;
        const isCreate = (flags & isCreateFlag) !== 0;
        const isDelete = (flags & isDeleteFlag) !== 0;
        const needsOld = isDelete || (wantPrevious && !isCreate);
        const old = needsOld ? this.#reads.value(numbers[at + 2]!) : undefined;
        if (wantPrevious) previous.push(old);
        this.#insert.run(
          numbers[at]!,
          keys[i]!,
          isCreate ? 1 : 0,
          isDelete ? 1 : 0,
          isCreate ? 0 : numbers[at + 1]!,
          numbers[at + 2]!,
          numbers[at + 3]!,
          values[i]!,
          isDelete ? (old ?? null) : null,
        );
      }
      db.exec('COMMIT');
    } catch (error) {
      // SQLite has already rolled back by itself after some errors, a full disk for one.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
    this.#newest = numbers[(keys.length - 1) * numbersPerRow]!;
    return wantPrevious ? packValues(previous) : undefined;
  }

  /** Memory is ahead of the file only as long as nobody else writes to it. */
  #checkSoleWriter(): void {
    const row = this.#dataVersion.get() as { data_version: number };
    if (row.data_version !== this.#knownVersion) {
      throw new Error(
        `Datastore "${this.#path}" was changed by another program; ` +
          'stop that program and restart k3ts',
      );
    }
  }

  async #compact(id: number, target: number): Promise<void> {
    const { db } = this.#file;
    try {
      const compaction = new SqliteCompaction({
        db,
        path: this.#path,
        clock: systemClock,
        from: this.#compactRevision,
        target,
      });
      let seen = this.#commits;
      while (!this.#stepOf(compaction)) {
        // Requests that arrived during the slice are answered here; when a commit is among them,
        // more will follow.
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#commits !== seen) await systemClock.sleep(pauseMs);
        seen = this.#commits;
        if (this.#isClosed) throw new Error('The datastore was closed during compaction');
      }
      this.#compactRevision = target;
      this.#reserve.fill();
      reply(id, undefined);
    } catch (error) {
      refuse(id, explain(error, this.#path));
    }
  }

  /** A step of a compaction, which may use the reserve: it is what makes room again. */
  #stepOf(compaction: SqliteCompaction): boolean {
    try {
      return compaction.step();
    } catch (error) {
      if (!isDiskFull(error) || !this.#reserve.release()) throw error;
      return compaction.step();
    }
  }

  #sizeBytes(): number {
    const wal = statSync(`${this.#path}-wal`, { throwIfNoEntry: false });
    return statSync(this.#path).size + (wal?.size ?? 0);
  }
}

function reply(id: number, result: unknown, transfer: ArrayBuffer[] = []): void {
  parentPort!.postMessage({ id, result }, transfer);
}

function refuse(id: number, error: Error): void {
  parentPort!.postMessage({ id, error: error.message }, []);
}

const settings = workerData as WorkerSettings;
try {
  const worker = new SqliteWorker(settings);
  parentPort!.on('message', (request: Request) => worker.handle(request));
} catch (error) {
  refuse(0, explain(error, settings.path));
}
