import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, it, type TestContext } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { encoded, Recorder, summary } from '../contract-tools.ts';
import type { LogBackend } from '../log-backend.ts';
import { openSqlite, type SqliteOptions } from './sqlite.ts';

const root = mkdtempSync(join(tmpdir(), 'k3ts-sqlite-'));
after(() => rmSync(root, { recursive: true, force: true }));
let number = 0;
const newPath = (): string => join(root, String(number++), 'db', 'state.db');

async function open(t: TestContext, options: Partial<SqliteOptions> = {}): Promise<LogBackend> {
  const store = await openSqlite({
    path: newPath(),
    clock: new FakeClock(),
    log: silentLogger,
    ...options,
  });
  t.after(() => store.close());
  return store;
}

function query(path: string, sql: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}

/** A file as kine writes it: the older column type, no auto_vacuum, old values, a gap row. */
function writeKineFile(path: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER,
      deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB,
      old_value BLOB);
    CREATE INDEX kine_name_index ON kine (name);
    CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON kine (name, prev_revision);
    INSERT INTO kine VALUES
      (1, 'compact_rev_key', 1, 0, 0, 3, 0, '', NULL),
      (4, '/registry/a', 0, 0, 2, 2, 0, x'6134', x'6132'),
      (5, '/registry/b', 1, 0, 0, 0, 0, x'6235', NULL),
      (6, 'gap-6', 0, 1, 0, 0, 0, NULL, NULL),
      (7, '/registry/b', 0, 1, 5, 5, 0, x'6235', x'6235'),
      (8, '/registry/a', 0, 0, 2, 4, 0, x'6138', x'6134'),
      (9, '/registry/lease', 1, 0, 0, 0, 15, 'l9', NULL);`);
  db.close();
}

it('goes on with a file that kine wrote', async (t) => {
  const path = newPath();
  writeKineFile(path);
  const clock = new FakeClock();
  const store = await open(t, { path, clock });
  assert.equal(store.currentRevision, 9);
  assert.equal(store.compactRevision, 3);
  const { items } = await store.list('');
  assert.deepEqual(
    items.map((item) => [item.key, String(item.value), item.createRevision, item.modRevision]),
    [
      ['/registry/a', 'a8', 2, 8],
      ['/registry/lease', 'l9', 9, 9],
    ],
  );
  assert.equal(String((await store.get('/registry/b', 6))!.value), 'b5');
  const seen = new Recorder();
  store.watch('', 3, seen);
  assert.deepEqual(summary(await seen.until(5)), [
    'put /registry/a a4 was a2',
    'put /registry/b b5 was none',
    'delete /registry/b b5 was b5',
    'put /registry/a a8 was a4',
    'put /registry/lease l9 was none',
  ]);
  assert.equal((await store.create('/registry/b', encoded('b'))).modRevision, 10);
  await clock.advance(15_000);
  await seen.until(7);
  assert.equal(await store.count('/registry/lease'), 0);
});

it('writes rows as kine does', async (t) => {
  const path = newPath();
  const store = await open(t, { path });
  await store.create('/a', encoded('one'), { ttlSeconds: 7 });
  await store.update('/a', 2, encoded('two'));
  await store.delete('/a', 3, encoded('gone'));
  await store.create('/a', encoded('again'));
  const columns = 'id, name, created, deleted, create_revision AS cr, prev_revision AS prev, lease';
  assert.deepEqual(query(path, `SELECT ${columns}, CAST(value AS TEXT) AS value FROM kine`), [
    { id: 1, name: 'compact_rev_key', created: 1, deleted: 0, cr: 0, prev: 0, lease: 0, value: '' },
    { id: 2, name: '/a', created: 1, deleted: 0, cr: 0, prev: 0, lease: 7, value: 'one@2' },
    { id: 3, name: '/a', created: 0, deleted: 0, cr: 2, prev: 2, lease: 0, value: 'two@3' },
    { id: 4, name: '/a', created: 0, deleted: 1, cr: 2, prev: 3, lease: 0, value: 'gone@4' },
    { id: 5, name: '/a', created: 1, deleted: 0, cr: 0, prev: 4, lease: 0, value: 'again@5' },
  ]);
  assert.deepEqual(query(path, 'SELECT CAST(old_value AS TEXT) AS old FROM kine WHERE id = 4'), [
    { old: 'two@3' },
  ]);
  await store.compact(4);
  assert.deepEqual(query(path, 'SELECT id, prev_revision AS prev FROM kine'), [
    { id: 1, prev: 4 },
    { id: 5, prev: 4 },
  ]);
});

it('has the indexes of kine and syncs each commit', async (t) => {
  const path = newPath();
  await open(t, { path });
  const names = query(path, "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name");
  assert.deepEqual(
    names.map((row) => (row as { name: string }).name),
    [
      'kine_id_compact_rev_key_with_prev_revision_index',
      'kine_id_deleted_index',
      'kine_name_id_index',
      'kine_name_index',
      'kine_name_prev_revision_uindex',
      'kine_prev_revision_index',
    ],
  );
  assert.deepEqual(query(path, 'PRAGMA journal_mode'), [{ journal_mode: 'wal' }]);
  assert.deepEqual(query(path, 'PRAGMA auto_vacuum'), [{ auto_vacuum: 2 }]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

const refusals: { name: string; message: RegExp; prepare: (path: string) => void }[] = [
  {
    name: 'a file that is not a database',
    message: /is not an SQLite database; move it away or restore a backup$/,
    prepare: (path) => writeFileSync(path, 'x'.repeat(4096)),
  },
  {
    name: 'a directory in place of the file',
    message: /^Cannot use datastore .*EISDIR.*choose another --data-dir$/,
    prepare: (path) => mkdirSync(path),
  },
  {
    name: 'a file of a newer version',
    message: /has schema version 7, newer than this k3ts reads \(0\); start the version that wrote/,
    prepare: (path) => {
      const db = new DatabaseSync(path);
      db.exec('CREATE TABLE kine (id INTEGER); PRAGMA user_version = 7');
      db.close();
    },
  },
  {
    name: 'a foreign table called kine',
    message: /without column .*; it was not written by kine or k3ts, move it away$/,
    prepare: (path) => {
      const db = new DatabaseSync(path);
      db.exec('CREATE TABLE kine (id INTEGER, name TEXT, deleted INTEGER, prev_revision INTEGER)');
      db.close();
    },
  },
];

for (const { name, message, prepare } of refusals) {
  it(`refuses ${name} with what to do`, async () => {
    const path = newPath();
    mkdirSync(join(path, '..'), { recursive: true });
    prepare(path);
    const opening = openSqlite({ path, clock: new FakeClock(), log: silentLogger });
    await assert.rejects(opening, { name: 'StoreError', code: 'Unavailable', message });
  });
}

it('refuses a file that another backend has open, until that one closes', async (t) => {
  const path = newPath();
  const first = await open(t, { path });
  const again = { path, clock: new FakeClock(), log: silentLogger };
  await assert.rejects(openSqlite(again), {
    code: 'Unavailable',
    message: /is in use by another process; stop the other k3s or k3ts server first$/,
  });
  await first.close();
  await (await openSqlite(again)).close();
});

it('rejects everything that was built on a failed commit and goes on afterwards', async (t) => {
  const path = newPath();
  const store = await open(t, { path, busyTimeoutMs: 20 });
  const seen = new Recorder();
  store.watch('', 1, seen);
  await store.create('/kept', encoded('v'));
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const results = await Promise.allSettled([
    store.create('/a', encoded('v')),
    store.update('/a', 3, encoded('w')),
    store.update('/kept', 2, encoded('w')),
  ]);
  for (const result of results) {
    assert.equal(result.status === 'rejected' && result.reason.code, 'Unavailable');
  }
  other.exec('ROLLBACK');
  other.close();
  assert.equal(store.currentRevision, 2);
  assert.equal(await store.get('/a'), undefined);
  assert.equal((await store.update('/kept', 2, encoded('w'))).modRevision, 3);
  assert.deepEqual(summary(seen.events), ['put /kept v@2 was none', 'put /kept w@3 was v@2']);
});

it('stops writing when another program has changed the file', async (t) => {
  const path = newPath();
  const store = await open(t, { path });
  await store.create('/a', encoded('v'));
  const other = new DatabaseSync(path);
  other.exec("INSERT INTO kine (id, name, prev_revision) VALUES (3, '/foreign', 0)");
  other.close();
  await assert.rejects(store.create('/b', encoded('v')), {
    code: 'Unavailable',
    message: /was changed by another program; stop that program and restart k3ts$/,
  });
  assert.equal(String((await store.get('/a'))!.value), 'v@2');
});

it('asks the callback for values before a change, once per batch and key', async (t) => {
  const asked: string[] = [];
  const previousOf = (key: string): Buffer => {
    asked.push(key);
    return Buffer.from('from the cache');
  };
  const encodeExpired = (): Buffer => Buffer.from('expired');
  const clock = new FakeClock();
  const store = await open(t, { clock, previousOf, encodeExpired });
  const seen = new Recorder();
  store.watch('', 1, seen);
  await store.create('/a', encoded('one'));
  await Promise.all([
    store.update('/a', 2, encoded('two')),
    store.update('/a', 3, encoded('three'), { ttlSeconds: 1 }),
  ]);
  await clock.advance(1000);
  assert.deepEqual(summary(await seen.until(4)), [
    'put /a one@2 was none',
    'put /a two@3 was from the cache',
    'put /a three@4 was two@3',
    'delete /a expired was from the cache',
  ]);
  assert.deepEqual(asked, ['/a', '/a']);
});

it('gives space back after compaction while writes go on', async (t) => {
  const path = newPath();
  const store = await open(t, { path });
  const body = Buffer.alloc(8192, 'x');
  const fill = async (key: string, times: number): Promise<void> => {
    let { modRevision } = await store.create(key, () => body);
    for (let i = 0; i < times; i++) {
      ({ modRevision } = await store.update(key, modRevision, () => body));
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, i) => fill(`/k/${i}`, 100)));
  const before = await store.sizeBytes();
  const target = store.currentRevision;
  const compacting = store.compact(target);
  await fill('/meanwhile', 20);
  await compacting;
  assert.equal(await store.count('/'), 21);
  const left = query(path, `SELECT COUNT(*) AS n FROM kine WHERE id <= ${target}`);
  assert.deepEqual(left, [{ n: 21 }]);
  const size = await store.sizeBytes();
  assert.ok(size < before / 4, `${before} bytes became only ${size}`);
});

it('rebuilds a file of kine once, so that it can shrink', async (t) => {
  const path = newPath();
  writeKineFile(path);
  await open(t, { path });
  assert.deepEqual(query(path, 'PRAGMA auto_vacuum'), [{ auto_vacuum: 2 }]);
});
