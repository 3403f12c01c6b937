/** The etcd driver against a real etcd: the contract of all drivers, then what only etcd can do. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { contractSuite } from '#store/contract-suite.ts';
import { encoded, Recorder, summary } from '#store/contract-tools.ts';
import type { Backend, Encode, KeyValue, StoreEvent } from '#store/mod.ts';
import { openBackend, startCompactor, StoreError } from '#store/mod.ts';
import { etcdProblem, startEtcd } from './etcd-process.ts';
import type { EtcdProcess } from './etcd-process.ts';

const problem = etcdProblem();
let etcd: EtcdProcess;

async function open(): Promise<Backend> {
  const { endpoint } = etcd;
  return await openBackend({ endpoint, dataDir: '', clock: systemClock, log: silentLogger });
}

async function openEmpty(): Promise<Backend> {
  etcd.ctl('del', '', '--prefix');
  return await open();
}

/** Waits for something that etcd does by itself. */
async function eventually(isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + 60_000;
  while (!(await isTrue())) {
    if (systemClock.monotonicMs() > endMs) throw new Error('it did not come about');
    await systemClock.sleep(20);
  }
}

/**
 * What the API server makes of this driver: values get the revision that they do not hold, and a
 * write is over when the feed has shown it.
 */
function asTheApiServerSeesIt(backend: Backend): Backend {
  const written = new Map<string, { revision: number; value: Buffer }[]>();
  /** Last states by key: a watch may hear of a delete before who asked for it hears of its end. */
  const deleting = new Map<string, Encode>();
  const feedState = { passed: backend.currentRevision };
  const wake: (() => void)[] = [];
  const seen = (value: Buffer, revision: number): Buffer =>
    value.length > 100_000 ? value : Buffer.from(value.toString().replace(/@0$/, `@${revision}`));
  const item = (stored: KeyValue): KeyValue => ({
    ...stored,
    value: seen(stored.value, stored.modRevision),
  });
  const event = (stored: StoreEvent): StoreEvent => {
    const changes = (written.get(stored.key) ?? []).toSorted((a, b) => a.revision - b.revision);
    const now = changes.find((change) => change.revision === stored.modRevision);
    const before = changes.findLast((change) => change.revision < stored.modRevision);
    const last = stored.type === 'delete' ? deleting.get(stored.key) : undefined;
    return {
      ...stored,
      value: now?.value ?? last?.(stored.modRevision) ?? seen(stored.value, stored.modRevision),
      previous: stored.previous && seen(stored.previous, before?.revision ?? 0),
    };
  };
  const feed = backend.watch('', feedState.passed, {
    onEvents(events) {
      for (const { modRevision } of events) feedState.passed = modRevision;
      for (const resolve of wake.splice(0)) resolve();
    },
    onError: () => undefined,
  });
  const pass = async (revision: number): Promise<void> => {
    while (feedState.passed < revision) await new Promise<void>((resolve) => wake.push(resolve));
    // the other watches are streams of their own
    await systemClock.sleep(2);
  };
  const write = async (attempt: Promise<KeyValue>): Promise<KeyValue> => {
    try {
      const done = await attempt;
      const change = { revision: done.modRevision, value: done.value };
      written.set(done.key, [...(written.get(done.key) ?? []), change]);
      await pass(done.modRevision);
      return done;
    } catch (error) {
      if (!(error instanceof StoreError) || error.current === undefined) throw error;
      const { key = '', current } = error;
      throw new StoreError(error.code, error.message, {
        key,
        current: item(current),
      });
    }
  };
  return {
    get currentRevision() {
      return backend.currentRevision;
    },
    get compactRevision() {
      return backend.compactRevision;
    },
    exclusive: false,
    newestRevision: () => backend.newestRevision(),
    async get(key, revision) {
      const found = await backend.get(key, revision);
      return found && item(found);
    },
    async list(prefix, options) {
      const list = await backend.list(prefix, options);
      return { ...list, items: list.items.map(item) };
    },
    async *pages(prefix, options) {
      for await (const page of backend.pages(prefix, options)) {
        yield { ...page, items: page.items.map(item) };
      }
    },
    count: (prefix) => backend.count(prefix),
    create: (key, encode, options) => write(backend.create(key, encode, options)),
    update: (key, expected, encode, options) =>
      write(backend.update(key, expected, encode, options)),
    async delete(key, expected, encode) {
      deleting.set(key, encode);
      try {
        return await write(backend.delete(key, expected, encode));
      } finally {
        if (deleting.get(key) === encode) deleting.delete(key);
      }
    },
    watch: (prefix, from, handler) =>
      backend.watch(prefix, from, {
        onEvents: (events) => handler.onEvents(events.map(event)),
        onError: (error) => handler.onError(error),
      }),
    history: async (prefix, options) => (await backend.history(prefix, options))?.map(event),
    compact: (revision) => backend.compact(revision),
    sizeBytes: () => backend.sizeBytes(),
    async close() {
      await backend.close();
      feed.close();
      feedState.passed = Infinity;
      for (const resolve of wake.splice(0)) resolve();
    },
  };
}

describe('etcd', { skip: problem ?? false }, () => {
  before(async () => {
    etcd = await startEtcd();
  });
  after(() => etcd.close());

  contractSuite({
    name: 'etcd',
    isDurable: false,
    ownsLog: false,
    open: async () => asTheApiServerSeesIt(await openEmpty()),
  });

  test('values of etcdctl and of this driver are the same to both', async (t) => {
    const store = await openEmpty();
    t.after(() => store.close());
    const made = await store.create('/registry/a/b', encoded('mine'));
    assert.equal(etcd.ctl('get', '/registry/a/b', '--print-value-only').trim(), 'mine@0');
    const seen = new Recorder();
    store.watch('/registry/', made.modRevision, seen);
    etcd.ctl('put', '/registry/a/b', 'theirs');
    etcd.ctl('del', '/registry/a/b');
    assert.deepEqual(summary(await seen.until(2)), [
      'put /registry/a/b theirs was mine@0',
      'delete /registry/a/b theirs was theirs',
    ]);
    assert.ok((await store.sizeBytes()) > 0);
  });

  test('two servers see the writes of each other, and only one of two conflicting ones', async (t) => {
    const [one, two] = [await openEmpty(), await open()];
    t.after(() => Promise.all([one.close(), two.close()]));
    const seen = new Recorder();
    two.watch('', two.currentRevision, seen);
    const made = await one.create('/registry/x', encoded('one'));
    await seen.until(1);
    assert.equal(await two.newestRevision(), made.modRevision);
    const results = await Promise.allSettled([
      one.update('/registry/x', made.modRevision, encoded('a')),
      two.update('/registry/x', made.modRevision, encoded('b')),
    ]);
    assert.deepEqual(results.map((result) => result.status).sort(), ['fulfilled', 'rejected']);
    await assert.rejects(two.create('/registry/x', encoded('c')), { code: 'KeyExists' });
  });

  test('a key with a time to live goes away by itself', async (t) => {
    const store = await openEmpty();
    t.after(() => store.close());
    const seen = new Recorder();
    store.watch('', store.currentRevision, seen);
    const options = { ttlSeconds: 1 };
    const [one] = await Promise.all([
      store.create('/e/1', encoded('v'), options),
      store.create('/e/2', encoded('v'), options),
    ]);
    await store.update('/e/1', one.modRevision, encoded('kept'));
    const events = await seen.until(4);
    assert.match(summary(events).at(-1) ?? '', /^delete \/e\/2 /);
    assert.equal(await store.count('/e/'), 1);
    assert.equal(etcd.ctl('lease', 'list').split('\n')[0], 'found 0 leases');
  });

  test('of two compactors one compacts at each tick, by the key that upstream uses', async (t) => {
    const [one, two] = [await openEmpty(), await open()];
    const log = silentLogger;
    const compactors = [one, two].map((backend) =>
      startCompactor({ backend, clock: systemClock, log, intervalMs: 200 }),
    );
    t.after(async () => {
      for (const compactor of compactors) await compactor.close();
      await Promise.all([one.close(), two.close()]);
    });
    let last = await one.create('/c', encoded('0'));
    const first = last.modRevision;
    await eventually(async () => {
      last = await one.update('/c', last.modRevision, encoded('n'));
      return one.compactRevision > first && two.compactRevision > first;
    });
    const held = Number(etcd.ctl('get', 'compact_rev_key', '--print-value-only').trim());
    assert.ok(held >= first && held < (await one.newestRevision()));
    await assert.rejects(two.get('/c', first - 1), { code: 'Compacted' });
  });

  test('a watch goes on without gaps when etcd is killed and started again', async (t) => {
    const store = await openEmpty();
    t.after(() => store.close());
    const base = store.currentRevision;
    const seen = new Recorder();
    store.watch('', base, seen);
    await store.create('/k/1', encoded('v'));
    await seen.until(1);
    await etcd.stop();
    await assert.rejects(store.create('/k/2', encoded('v')), { code: 'Unavailable' });
    await assert.rejects(store.newestRevision(), { code: 'Unavailable' });
    await etcd.start();
    // written before the watch may be back
    etcd.ctl('put', '/k/3', 'while away');
    await eventually(() =>
      store.newestRevision().then(
        () => true,
        () => false,
      ),
    );
    await store.create('/k/4', encoded('v'));
    const events = await seen.until(3);
    assert.deepEqual(
      events.map((event) => [event.key, event.modRevision - base]),
      [
        ['/k/1', 1],
        ['/k/3', 2],
        ['/k/4', 3],
      ],
    );
  });

  test('an endpoint that does not answer is passed over', async (t) => {
    etcd.ctl('del', '', '--prefix');
    const endpoint = `http://127.0.0.1:1,${etcd.endpoint}`;
    const options = { endpoint, dataDir: '', clock: systemClock, log: silentLogger };
    const store = await openBackend(options);
    t.after(() => store.close());
    await store.create('/a', encoded('v'));
    assert.equal(await store.count('/'), 1);
  });
});
