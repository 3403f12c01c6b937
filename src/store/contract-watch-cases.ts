import assert from 'node:assert/strict';
import { it } from 'node:test';
import { code, encoded, eventually, Recorder, summary } from './contract-tools.ts';
import type { Open } from './contract-tools.ts';

/** What watchers may rely on. */
export function watchCases(open: Open): void {
  it('delivers changes of its prefix with the values before', async (t) => {
    const store = await open(t);
    const seen = new Recorder();
    const base = store.currentRevision;
    store.watch('/a/', base, seen);
    await store.create('/a/1', encoded('one'));
    await store.create('/b/1', encoded('other'));
    await store.update('/a/1', base + 1, encoded('two'));
    await store.delete('/a/1', base + 3, encoded('gone'));
    assert.deepEqual(summary(seen.events), [
      `put /a/1 one@${base + 1} was none`,
      `put /a/1 two@${base + 3} was one@${base + 1}`,
      `delete /a/1 gone@${base + 4} was two@${base + 3}`,
    ]);
    assert.deepEqual(
      seen.events.map((event) => [event.createRevision - base, event.modRevision - base]),
      [
        [1, 1],
        [1, 3],
        [1, 4],
      ],
    );
  });

  it('resolves a write after its event was delivered', async (t) => {
    const store = await open(t);
    const order: string[] = [];
    store.watch('', store.currentRevision, {
      onEvents: (events) => order.push(...events.map((event) => `event ${event.key}`)),
      onError: (error) => assert.fail(error),
    });
    const keys = ['/1', '/2', '/3'];
    await Promise.all(
      keys.map((key) => store.create(key, encoded('v')).then(() => order.push(`answer ${key}`))),
    );
    for (const key of keys) {
      assert.ok(order.indexOf(`event ${key}`) < order.indexOf(`answer ${key}`));
    }
  });

  it('replays history, then goes on live', async (t) => {
    const store = await open(t);
    const base = store.currentRevision;
    await store.create('/a', encoded('one'));
    await store.update('/a', base + 1, encoded('two'));
    await store.delete('/a', base + 2, encoded('gone'));
    const seen = new Recorder();
    store.watch('/', base + 1, seen);
    await seen.until(2);
    await store.create('/a', encoded('again'));
    assert.deepEqual(summary(await seen.until(3)), [
      `put /a two@${base + 2} was one@${base + 1}`,
      `delete /a gone@${base + 3} was two@${base + 2}`,
      `put /a again@${base + 4} was none`,
    ]);
  });

  it('has no gaps and no repeats for watches that start during writes', async (t) => {
    const store = await open(t);
    const base = store.currentRevision;
    const total = 3000;
    const watches: { from: number; seen: Recorder }[] = [];
    const writer = async (id: number): Promise<void> => {
      for (let i = 0; i < total / 10; i++) {
        const { modRevision } = await store.create(`/k/${id}/${i}`, encoded('v'));
        if (i % 25 === id) {
          const seen = new Recorder();
          const from = base + ((modRevision - base) * i) / (total / 10);
          watches.push({ from: Math.floor(from), seen });
          store.watch('/k/', Math.floor(from), seen);
        }
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, id) => writer(id)));
    assert.ok(watches.length > 50);
    for (const { from, seen } of watches) {
      const events = await seen.until(base + total - from);
      assert.deepEqual(
        events.map((event) => event.modRevision),
        Array.from({ length: base + total - from }, (_, i) => from + 1 + i),
      );
    }
  });

  it('replays a history of many pages while writes go on', async (t) => {
    const store = await open(t);
    const base = store.currentRevision;
    const fill = (from: number, count: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: count }, (_, i) => store.create(`/k/${from + i}`, encoded('v'))),
      );
    await fill(0, 3500);
    const seen = new Recorder();
    store.watch('/k/', base, seen);
    await fill(3500, 500);
    const events = await seen.until(4000);
    assert.deepEqual(
      events.map((event) => event.modRevision),
      Array.from({ length: 4000 }, (_, i) => base + 1 + i),
    );
  });

  it('delivers nothing after close, and starts after a future revision', async (t) => {
    const store = await open(t);
    const base = store.currentRevision;
    const closed = new Recorder();
    const future = new Recorder();
    store.watch('/', base, closed).close();
    store.watch('/', base + 1, future);
    await store.create('/1', encoded('v'));
    await store.create('/2', encoded('v'));
    assert.equal(closed.events.length, 0);
    assert.deepEqual(summary(future.events), [`put /2 v@${base + 2} was none`]);
  });

  it('ends only the watch whose handler throws', async (t) => {
    const store = await open(t);
    const seen = new Recorder();
    let failed: Error | undefined;
    store.watch('/', store.currentRevision, {
      onEvents: () => {
        throw new Error('broken handler');
      },
      onError: (error) => (failed = error),
    });
    store.watch('/', store.currentRevision, seen);
    await store.create('/1', encoded('v'));
    await store.create('/2', encoded('v'));
    assert.equal((await seen.until(2)).length, 2);
    // watches of a remote store do not wait for each other
    await eventually(async () => failed !== undefined);
    assert.equal(failed?.message, 'broken handler');
  });
}

/** What reading the past may rely on. */
export function historyCases(open: Open): void {
  it('reads a stretch of history with the values before', async (t) => {
    const store = await open(t);
    const base = store.currentRevision;
    await store.create('/a/1', encoded('one'));
    await store.create('/b/1', encoded('other'));
    await store.update('/a/1', base + 1, encoded('two'));
    await store.delete('/a/1', base + 3, encoded('gone'));
    await store.create('/a/2', encoded('later'));
    const read = { after: base + 1, through: base + 4, maxEvents: 10 };
    assert.deepEqual(summary((await store.history('/a/', read)) ?? []), [
      `put /a/1 two@${base + 3} was one@${base + 1}`,
      `delete /a/1 gone@${base + 4} was two@${base + 3}`,
    ]);
    assert.equal(await store.history('/a/', { ...read, maxEvents: 1 }), undefined);
    assert.deepEqual(await store.history('/c/', read), []);
    assert.equal(await store.newestRevision(), base + 5);
    await store.compact(base + 3);
    await assert.rejects(store.history('/a/', read), code('Compacted'));
  });

  it('reads a long list whole while it is written and compacted', async (t) => {
    const store = await open(t);
    const count = 1200;
    const key = (i: number): string => `/k/${String(i).padStart(5, '0')}`;
    await Promise.all(Array.from({ length: count }, (_, i) => store.create(key(i), encoded('v'))));
    const listing = store.list('/k/');
    const last = (await store.get(key(count - 1)))!;
    await store.update(last.key, last.modRevision, encoded('w'));
    await store.compact(store.currentRevision);
    const { items, remaining } = await listing;
    assert.equal(items.length, count);
    assert.equal(remaining, 0);
    assert.equal((await store.list('/k/', { limit: 1100 })).remaining, 100);
  });
}
