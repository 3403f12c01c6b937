/** A database file as k3s leaves it behind: protobuf values, deletes, gaps; served and gone on with. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { catalog } from '#schema/mod.ts';
import { encodeProtobuf } from '#schema/protobuf/mod.ts';
import { at } from '../api/answer.ts';
import type { TestApi } from '../api/server.ts';
import { startTestApi } from '../api/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'k3ts-kine-'));
const file = join(dir, 'state.db');
/** Kinds with rules of their own at start, which would refuse or remove an object made of a name. */
const special = new Set(['apiservices', 'customresourcedefinitions', 'namespaces']);
let api: TestApi;
let revision = 0;

/** Every kind that is stored as protobuf, once. */
const kinds = catalog.all.filter((info) => {
  if (info.typeName === '' || info.storagePrefix === '' || special.has(info.resource)) return false;
  const { group, version } = info.storage;
  if (info.group !== group || info.version !== version || !info.verbs.includes('get')) return false;
  return info.verbs.includes('create');
});

before(async () => {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER,
      deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB,
      old_value BLOB);
    CREATE INDEX kine_name_index ON kine (name);
    CREATE INDEX kine_name_id_index ON kine (name, id);
    CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON kine (name, prev_revision);
    INSERT INTO kine VALUES (1, 'compact_rev_key', 1, 0, 0, 0, 0, '', NULL);`);
  const insert = db.prepare('INSERT INTO kine VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)');
  const put = (key: string, value: Buffer): number => {
    revision = Math.max(revision, 1) + 1;
    insert.run(revision, key, 1, 0, 0, 0, value, null);
    return revision;
  };
  for (const info of kinds) {
    const { group, version } = info;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const metadata = {
      name: 'from-k3s',
      ...(info.namespaced ? { namespace: 'default' } : {}),
      uid: `uid-${info.resource}`,
      labels: { kept: 'yes' },
      creationTimestamp: '2026-01-02T03:04:05Z',
    };
    const bytes = encodeProtobuf({ apiVersion, kind: info.kind, metadata });
    assert.ok(bytes !== undefined, info.kind);
    const key = `${info.storagePrefix}${info.namespaced ? 'default/' : ''}from-k3s`;
    put(key, bytes);
    if (info.resource === 'configmaps') {
      const gone = encodeProtobuf({
        apiVersion,
        kind: info.kind,
        metadata: { ...metadata, name: 'gone' },
      });
      assert.ok(gone !== undefined);
      const goneKey = key.replace('from-k3s', 'gone');
      const made = put(goneKey, gone);
      insert.run(++revision, goneKey, 0, 1, made, made, gone, gone);
      insert.run(++revision, `gap-${revision}`, 0, 1, 0, 0, null, null);
    }
  }
  db.close();
  api = await startTestApi({
    datastoreEndpoint: `sqlite://${file}`,
    disableControllerManager: true,
    disableScheduler: true,
  });
});

after(async () => {
  await api.close();
  rmSync(dir, { recursive: true, force: true });
});

test('every kind is read from protobuf', async () => {
  assert.ok(kinds.length > 50, String(kinds.length));
  for (const info of kinds) {
    const root = info.group === '' ? '/api/v1' : `/apis/${info.group}/${info.version}`;
    const scope = info.namespaced ? '/namespaces/default' : '';
    const answer = await api.request('GET', `${root}${scope}/${info.resource}/from-k3s`);
    assert.equal(answer.status, 200, `${info.resource}: ${answer.text}`);
    const metadata = answer.at('metadata') as object;
    assert.equal(at(metadata, 'uid'), `uid-${info.resource}`);
    assert.deepEqual(at(metadata, 'labels'), { kept: 'yes' });
    assert.equal(at(metadata, 'creationTimestamp'), '2026-01-02T03:04:05Z');
    assert.equal(answer.at('kind'), info.kind);
  }
  assert.deepEqual(
    api.logLines.filter((line) => line.includes('cannot be read')),
    [],
  );
});

test('deleted objects stay away, watches see the history, writes go on behind it', async () => {
  const maps = '/api/v1/namespaces/default/configmaps';
  assert.equal((await api.request('GET', `${maps}/gone`)).status, 404);
  const watch = await api.watch(`${maps}?watch=true&resourceVersion=1`);
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    const event = await watch.next();
    seen.push(`${event?.type} ${String(at(event?.object, 'metadata.name'))}`);
  }
  watch.close();
  assert.deepEqual(seen, ['ADDED from-k3s', 'ADDED gone', 'DELETED gone']);
  const headers = { 'Content-Type': 'application/merge-patch+json' };
  const body = { data: { now: 'json' } };
  const patched = await api.request('PATCH', `${maps}/from-k3s`, { headers, body });
  assert.equal(patched.status, 200, patched.text);
  assert.ok(Number(patched.at('metadata.resourceVersion')) > revision);
  assert.equal(patched.at('metadata.uid'), 'uid-configmaps');
});
