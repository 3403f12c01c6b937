import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The row that holds the compact revision (in prev_revision), as in kine. */
export const compactKey = 'compact_rev_key';

/** Kine never sets user_version; a layout that this version cannot read will. */
const newestSchema = 0;

/** A file written without auto_vacuum is rebuilt at start up to this size; that takes a second. */
const maxRebuildBytes = 256 * 1024 * 1024;

/** The WAL is copied into the file after this many pages and cut back to this size. */
const checkpointPages = 2000;
const maxIdleWalBytes = 16 * 1024 * 1024;

const columns = [
  'id INTEGER PRIMARY KEY AUTOINCREMENT',
  'name TEXT',
  'created INTEGER',
  'deleted INTEGER',
  'create_revision INTEGER',
  'prev_revision INTEGER',
  'lease INTEGER',
  'value BLOB',
  'old_value BLOB',
];

const schema = [
  `CREATE TABLE IF NOT EXISTS kine (${columns.join(', ')})`,
  'CREATE INDEX IF NOT EXISTS kine_name_index ON kine (name)',
  'CREATE INDEX IF NOT EXISTS kine_name_id_index ON kine (name, id)',
  'CREATE INDEX IF NOT EXISTS kine_id_deleted_index ON kine (id, deleted)',
  'CREATE INDEX IF NOT EXISTS kine_prev_revision_index ON kine (prev_revision)',
  'CREATE UNIQUE INDEX IF NOT EXISTS kine_name_prev_revision_uindex ON kine (name, prev_revision)',
  `CREATE INDEX IF NOT EXISTS kine_id_compact_rev_key_with_prev_revision_index
    ON kine (id, name, prev_revision) WHERE name != '${compactKey}' AND prev_revision != 0`,
];

export interface OpenFile {
  db: DatabaseSync;
  /** Held as long as the file is in use: an SQLite lock on an empty file beside it. */
  lock: DatabaseSync;
  close(): void;
}

/** Opens or creates the file. Throws errors that tell the user what to do. */
export function openFile(path: string, busyTimeoutMs: number): OpenFile {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
    closeSync(openSync(`${path}.lock`, 'a', 0o600));
  } catch (error) {
    throw new Error(
      `Cannot use datastore "${path}": ${(error as Error).message}; ` +
        'run as a user that may write there or choose another --data-dir',
      { cause: error },
    );
  }
  const lock = takeLock(path);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: busyTimeoutMs });
    prepareFile(db, path);
    const opened = db;
    return {
      db,
      lock,
      close() {
        opened.close();
        lock.close();
      },
    };
  } catch (error) {
    if (db?.isOpen === true) db.close();
    lock.close();
    throw explain(error, path);
  }
}

/**
 * Keeps a second k3ts away while leaving the file itself readable for others (sqlite3, backups).
 * The kernel drops the lock when the process dies.
 */
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw explain(error, path);
  }
}

function prepareFile(db: DatabaseSync, path: string): void {
  const version = pragma(db, 'user_version');
  if (version > newestSchema) {
    throw new Error(
      `Datastore "${path}" has schema version ${version}, ` +
        `newer than this k3ts reads (${newestSchema}); start the version that wrote it`,
    );
  }
  const isNew = pragma(db, 'page_count') === 0;
  if (isNew) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  db.exec(`PRAGMA journal_size_limit = ${maxIdleWalBytes}`);
  db.exec('BEGIN IMMEDIATE');
  for (const statement of schema) db.exec(statement);
  checkColumns(db, path);
  const compactRow = db.prepare('SELECT id FROM kine WHERE name = ?').get(compactKey);
  if (compactRow === undefined) {
    const insert = `INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease,
      value, old_value) VALUES (?, 1, 0, 0, 0, 0, x'', NULL)`;
    db.prepare(insert).run(compactKey);
  }
  db.exec('COMMIT');
  if (!isNew && pragma(db, 'auto_vacuum') === 0) rebuild(db, path);
}

/** Files of kine cannot give space back piece by piece until they were rewritten once. */
function rebuild(db: DatabaseSync, path: string): void {
  if (statSync(path).size > maxRebuildBytes) return;
  try {
    db.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
  } catch (error) {
    // Without room for the copy the file works as before, it only cannot shrink.
    if (!/full|I\/O/i.test((error as Error).message)) throw error;
  }
}

function checkColumns(db: DatabaseSync, path: string): void {
  const found = db.prepare("SELECT name FROM pragma_table_info('kine')").all();
  const names = new Set(found.map((row) => String(row['name'])));
  const missing = columns.map((column) => column.split(' ')[0]!).filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw new Error(
      `Datastore "${path}" has a table "kine" without column ${missing.join(', ')}; ` +
        'it was not written by kine or k3ts, move it away',
    );
  }
}

/** An integer pragma. */
export function pragma(db: DatabaseSync, name: string): number {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return row === undefined ? 0 : Number(Object.values(row)[0]);
}

/** Primary result codes of SQLite that mean something to the user. */
const explanations: Record<number, (path: string, message: string) => string> = {
  5: (path) =>
    `Datastore "${path}" is in use by another process; stop the other k3s or k3ts server first`,
  8: (path) => `Datastore "${path}" is read-only; make it writable for this user`,
  10: (path, message) =>
    `Datastore "${path}" cannot be read or written (${message}); check the disk`,
  11: (path) => `Datastore "${path}" is damaged; restore it from a backup`,
  13: (path) => `No space left for datastore "${path}"; free some disk space`,
  14: (path) => `Datastore "${path}" cannot be opened; check the rights of its directory`,
  26: (path) => `"${path}" is not an SQLite database; move it away or restore a backup`,
};

/** An error of SQLite in words for the user; other errors stay as they are. */
export function explain(error: unknown, path: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const code = (error as { errcode?: number }).errcode;
  const text = code === undefined ? undefined : explanations[code & 0xff];
  return text === undefined ? error : new Error(text(path, error.message), { cause: error });
}
