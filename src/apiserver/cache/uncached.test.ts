import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { parseFieldSelector, parseLabelSelector } from '#schema/selectors/mod.ts';
import type { Backend, StoreEvent } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';
import { ByteLayout } from './byte-layout.ts';
import { PrefixCache } from './prefix-cache.ts';
import { Selection } from './selection.ts';
import type { Subscription } from './subscription.ts';
import { WatchCache } from './watch-cache.ts';

const prefix = '/registry/events/';
const layout = new ByteLayout({ group: '', version: 'v1', kind: 'Event' });

function uncached(limits: { ringEvents?: number } = {}): PrefixCache {
  return new PrefixCache({
    prefix,
    layout,
    namespaced: true,
    selectableFields: ['reason'],
    decodeForeign: () => assert.fail('is JSON'),
    ringEvents: limits.ringEvents ?? 100,
    ringBytes: 1e6,
    isUncached: true,
  });
}

const bytesOf = (name: string, reason: string, revision: number, team = 'a'): Buffer =>
  layout.encode({ metadata: { name, namespace: 'n', labels: { team } }, reason }).bytes(revision);

interface Change {
  name: string;
  reason: string;
  revision: number;
  created?: number;
  previous?: Buffer;
  isDelete?: boolean;
  team?: string;
}

function apply(cache: PrefixCache, change: Change): void {
  const { name, reason, revision, created = revision, previous, isDelete, team } = change;
  const event: StoreEvent = {
    type: isDelete === true ? 'delete' : 'put',
    key: `${prefix}n/${name}`,
    value: bytesOf(name, reason, revision, team),
    createRevision: created,
    modRevision: revision,
    previous,
  };
  cache.apply(event, undefined);
}

function drain(subscription: Subscription | undefined): string[] {
  const seen: string[] = [];
  for (;;) {
    const delivery = subscription?.next();
    if (delivery === undefined) return seen;
    const { type, entry } = delivery;
    seen.push(`${type} ${entry.name} ${entry.fields['reason'] ?? ''}`);
  }
}

const byReason = (reason: string): Selection =>
  new Selection({ fields: parseFieldSelector(`reason=${reason}`) });

describe('a kind that is left in the store', () => {
  test('knows what changed as long as the ring does, and counts all', () => {
    const cache = uncached();
    const sample = { key: `${prefix}n/old`, createRevision: 1, modRevision: 1 };
    cache.load([{ ...sample, value: bytesOf('old', 'x', 1) }], 10, undefined, 41);
    assert.equal(cache.isComplete, false);
    assert.equal(cache.size, 42);
    assert.equal(cache.averageBytes, bytesOf('old', 'x', 1).length);
    assert.equal(cache.get(`${prefix}n/old`), undefined);
    apply(cache, { name: 'a', reason: 'x', revision: 11 });
    apply(cache, { name: 'a', reason: 'y', revision: 12, created: 11 });
    apply(cache, { name: 'b', reason: 'x', revision: 13 });
    apply(cache, { name: 'old', reason: 'x', revision: 14, created: 1, isDelete: true });
    assert.equal(cache.size, 43);
    assert.equal(cache.heldSize, 3);
    assert.equal(cache.get(`${prefix}n/a`)?.revision, 12);
    assert.equal(cache.get(`${prefix}n/old`), undefined);
    assert.deepEqual(cache.groups(''), []);
    for (let i = 0; i < 3; i++) cache.ring.age();
    assert.equal(cache.heldSize, 0);
    assert.equal(cache.get(`${prefix}n/a`), undefined);
    assert.equal(cache.size, 43);
  });

  test('what the ring drops for its number goes as well', () => {
    const cache = uncached({ ringEvents: 8 });
    cache.load([], 10);
    for (let i = 0; i < 50; i++) apply(cache, { name: `e-${i}`, reason: 'x', revision: 11 + i });
    assert.ok(cache.heldSize <= 8, String(cache.heldSize));
    assert.equal(cache.size, 50);
    assert.equal(cache.get(`${prefix}n/e-49`)?.revision, 60);
    assert.equal(cache.get(`${prefix}n/e-0`), undefined);
  });

  test('tells watchers what enters and leaves their selection, by the state before', () => {
    const cache = uncached();
    cache.load([], 10, undefined, 2);
    const all = cache.subscribe(new Selection(), undefined, () => undefined);
    const started = cache.subscribe(byReason('Started'), undefined, () => undefined);
    const team = cache.subscribe(
      new Selection({ labels: parseLabelSelector('team=a') }),
      undefined,
      () => undefined,
    );
    const wake = (): void => {
      for (const one of [all, started, team]) one?.notice(cache.ring.firstSequence);
    };
    // the states before are not in memory: they come with the event
    const before = bytesOf('a', 'Started', 5);
    apply(cache, { name: 'a', reason: 'Killing', revision: 11, created: 5, previous: before });
    const other = bytesOf('b', 'Killing', 6, 'b');
    apply(cache, { name: 'b', reason: 'Started', revision: 12, created: 6, previous: other });
    // from here on they are
    apply(cache, { name: 'b', reason: 'Started', revision: 13, created: 6 });
    apply(cache, { name: 'b', reason: 'Started', revision: 14, created: 6, isDelete: true });
    wake();
    assert.deepEqual(drain(all), [
      'MODIFIED a Killing',
      'MODIFIED b Started',
      'MODIFIED b Started',
      'DELETED b Started',
    ]);
    assert.deepEqual(drain(started), [
      'DELETED a Started',
      'ADDED b Started',
      'MODIFIED b Started',
      'DELETED b Started',
    ]);
    assert.deepEqual(drain(team), [
      'MODIFIED a Killing',
      'ADDED b Started',
      'MODIFIED b Started',
      'DELETED b Started',
    ]);
  });

  test('does not read the state before for watchers of everything', () => {
    const cache = uncached();
    cache.load([], 10, undefined, 1);
    const all = cache.subscribe(new Selection({ namespace: 'n' }), 10, () => undefined);
    const some = cache.subscribe(byReason('x'), 10, () => undefined);
    const previous = Buffer.from('{"no JSON');
    apply(cache, { name: 'a', reason: 'x', revision: 11, created: 5, previous });
    for (const one of [all, some]) one?.notice(cache.ring.firstSequence);
    assert.deepEqual(drain(all), ['MODIFIED a x']);
    assert.deepEqual(drain(some), ['ADDED a x']);
  });

  test('forgets the state before a change that it cannot read', () => {
    const cache = uncached();
    cache.load([], 10);
    apply(cache, { name: 'a', reason: 'x', revision: 11 });
    const event: StoreEvent = {
      type: 'put',
      key: `${prefix}n/a`,
      value: Buffer.from('{'),
      createRevision: 11,
      modRevision: 12,
      previous: undefined,
    };
    assert.throws(() => cache.apply(event, undefined));
    assert.equal(cache.get(event.key), undefined);
    assert.equal(cache.size, 1);
  });
});

async function openStore(clock: FakeClock): Promise<Backend> {
  return await openBackend({ endpoint: 'memory://', dataDir: '', clock, log: silentLogger });
}

test('ten thousand events leave nothing in memory once they are a minute old', async (t) => {
  const clock = new FakeClock();
  const backend = await openStore(clock);
  const watchCache = new WatchCache({ backend, clock, log: silentLogger });
  t.after(async () => {
    watchCache.close();
    await backend.close();
  });
  const create = async (from: number, count: number): Promise<void> => {
    const writes = Array.from({ length: count }, (_, i) =>
      backend.create(`${prefix}n/e-${from + i}`, (revision) =>
        bytesOf(`e-${from + i}`, 'x', revision),
      ),
    );
    await Promise.all(writes);
  };
  await create(0, 5000);
  watchCache.start();
  const cache = uncached({ ringEvents: 4096 });
  await watchCache.add(cache);
  assert.equal(cache.size, 5000);
  assert.equal(cache.heldSize, 0);
  await create(5000, 5000);
  await watchCache.waitForRevision(backend.currentRevision);
  assert.equal(cache.size, 10_000);
  assert.ok(cache.heldSize > 0 && cache.heldSize <= 4096);
  await clock.advance(90_000);
  assert.equal(cache.heldSize, 0);
  assert.equal(cache.ring.nextSequence - cache.ring.firstSequence, 0);
  assert.equal(cache.size, 10_000);
});
