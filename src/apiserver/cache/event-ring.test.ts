import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { openBackend } from '#store/mod.ts';
import { ByteLayout } from './byte-layout.ts';
import { CacheEntry } from './entry.ts';
import { EventRing } from './event-ring.ts';
import { PrefixCache } from './prefix-cache.ts';
import { WatchCache } from './watch-cache.ts';

function ringOf(limits: { maxEvents?: number; maxBytes?: number }): EventRing {
  return new EventRing({ maxEvents: 100, maxBytes: 1000, startRevision: 10, ...limits });
}

function push(ring: EventRing, revision: number, size = 10): void {
  const bytes = Buffer.alloc(size);
  const names = { key: '/p/a', namespace: '', name: 'a', labels: undefined, fields: {} };
  const entry = new CacheEntry({ ...names, revision, bytes });
  ring.push({ type: 'MODIFIED', entry, previous: undefined, revision });
}

function held(ring: EventRing): number[] {
  const revisions = [];
  for (let at = ring.firstSequence; at < ring.nextSequence; at++) {
    revisions.push(ring.at(at)?.revision ?? 0);
  }
  return revisions;
}

describe('the latest changes of a kind', () => {
  test('the oldest quarter goes when there are too many', () => {
    const ring = ringOf({ maxEvents: 8 });
    for (let revision = 11; revision <= 19; revision++) push(ring, revision);
    assert.deepEqual(held(ring), [14, 15, 16, 17, 18, 19]);
    assert.equal(ring.lowestRevision, 13);
  });

  test('as many go as have to for the bytes', () => {
    const ring = ringOf({ maxBytes: 100 });
    push(ring, 11, 60);
    push(ring, 12, 30);
    push(ring, 13, 90);
    assert.deepEqual(held(ring), [13]);
    assert.equal(ring.lowestRevision, 12);
  });

  test('a change goes when it has seen two ages, the newer ones stay', () => {
    const ring = ringOf({});
    push(ring, 11);
    ring.age();
    push(ring, 12);
    ring.age();
    assert.deepEqual(held(ring), [11, 12]);
    ring.age();
    assert.deepEqual(held(ring), [12]);
    assert.equal(ring.lowestRevision, 11);
    assert.equal(ring.sequenceAfter(11), ring.firstSequence);
    ring.age();
    ring.age();
    assert.deepEqual(held(ring), []);
    assert.equal(ring.lowestRevision, 12);
    push(ring, 15);
    assert.deepEqual(held(ring), [15]);
    assert.equal(ring.sequenceAfter(12), ring.firstSequence);
  });

  test('what was dropped for its number is not dropped again for its age', () => {
    const ring = ringOf({ maxEvents: 4 });
    push(ring, 11);
    ring.age();
    for (let revision = 12; revision <= 16; revision++) push(ring, revision);
    const before = held(ring);
    ring.age();
    ring.age();
    assert.deepEqual(held(ring), before);
  });
});

test('the watch cache lets changes of all kinds age', async (t) => {
  const clock = new FakeClock();
  const backend = await openBackend({
    endpoint: 'memory://',
    dataDir: '',
    clock,
    log: silentLogger,
  });
  const cache = new WatchCache({ backend, clock, log: silentLogger });
  t.after(async () => {
    cache.close();
    await backend.close();
  });
  cache.start();
  const layout = new ByteLayout({ group: '', version: 'v1', kind: 'ConfigMap' });
  const configMaps = new PrefixCache({
    prefix: '/registry/configmaps/',
    layout,
    namespaced: true,
    selectableFields: [],
    decodeForeign: () => assert.fail('is JSON'),
    ringEvents: 10,
    ringBytes: 1000,
  });
  await cache.add(configMaps);
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'n' } };
  const written = await backend.create('/registry/configmaps/n/a', (revision) =>
    layout.encode(object).bytes(revision),
  );
  await cache.waitForRevision(written.modRevision);
  await clock.advance(60_000);
  assert.equal(held(configMaps.ring).length, 1);
  await clock.advance(30_000);
  assert.equal(held(configMaps.ring).length, 0);
  assert.equal(configMaps.ring.lowestRevision, written.modRevision);
  assert.equal(configMaps.get('/registry/configmaps/n/a')?.revision, written.modRevision);
});
