import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { openBackend } from './open.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'k3ts-open-'));
after(() => rmSync(dataDir, { recursive: true }));
const options = { dataDir, clock: new FakeClock(), log: silentLogger };

const files: [endpoint: string, path: string][] = [
  ['', 'db/state.db'],
  ['sqlite://', 'db/state.db'],
  ['sqlite://other.db?_journal_mode=WAL&cache=shared', 'other.db'],
  [`sqlite://${dataDir}/absolute.db`, 'absolute.db'],
];
for (const [endpoint, path] of files) {
  it(`opens "${endpoint.replace(dataDir, '')}" as ${path}`, async () => {
    await (await openBackend({ ...options, endpoint })).close();
    assert.ok(existsSync(join(dataDir, path)));
  });
}

it('opens a store in memory', async () => {
  const store = await openBackend({ ...options, endpoint: 'memory://' });
  assert.equal(store.exclusive, true);
  await store.close();
});

const refused = [
  'mysql://root:secret@tcp(db:3306)/kine',
  'postgres://u:secret@db/kine',
  'nats://host:4222',
];
for (const endpoint of refused) {
  it(`refuses ${endpoint.split(':')[0]} by name of the option`, async () => {
    await assert.rejects(openBackend({ ...options, endpoint }), (error: Error) => {
      assert.match(error.message, /^Option --datastore-endpoint: .* is not built yet; /);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
}

it('refuses a list of etcd endpoints that are no URLs', async () => {
  for (const endpoint of ['http://a:2379,b:2379', 'https://', 'http://a:2379,sqlite://x']) {
    await assert.rejects(openBackend({ ...options, endpoint }), /http or https URL/);
  }
});

it('refuses endpoints without a known scheme', async () => {
  for (const endpoint of ['/var/lib/state.db', 'constructor://x', 'redis://x']) {
    await assert.rejects(openBackend({ ...options, endpoint }), /has no known scheme; use one of/);
  }
});
