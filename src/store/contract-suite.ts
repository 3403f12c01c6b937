import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import type { Clock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { Logger } from '#base/log.ts';
import { silentLogger } from '#base/log.ts';
import type { Backend, KeyValue } from './backend.ts';
import { code, encoded, eventually, Recorder, summary, texts } from './contract-tools.ts';
import type { Open } from './contract-tools.ts';
import { historyCases, watchCases } from './contract-watch-cases.ts';
import { StoreError } from './errors.ts';

/** A driver as the suite sees it. */
export interface ContractDriver {
  name: string;
  /** Whether a closed backend can be opened again with what it held. */
  isDurable: boolean;
  /**
   * False for a shared database: writes are decided there, leases end by its clock. The cases that
   * need another are left out.
   */
  ownsLog?: boolean;
  open(options: { dir: string; clock: Clock; log: Logger }): Promise<Backend>;
}

/** The behaviour that every driver must have, the real databases included. */
export function contractSuite(driver: ContractDriver): void {
  const root = mkdtempSync(join(tmpdir(), `k3ts-store-${driver.name}-`));
  after(() => rmSync(root, { recursive: true, force: true }));
  let number = 0;
  const open = async (t: TestContext, clock: Clock = new FakeClock()): Promise<Backend> => {
    const backend = await driver.open({
      dir: join(root, String(number++)),
      clock,
      log: silentLogger,
    });
    t.after(() => backend.close());
    return backend;
  };

  describe(`${driver.name}: reading and writing`, () => {
    readWriteCases(open);
    if (driver.ownsLog !== false) pipelineCases(open);
  });
  describe(`${driver.name}: list`, () => listCases(open));
  describe(`${driver.name}: watch`, () => watchCases(open));
  describe(`${driver.name}: history`, () => historyCases(open));
  describe(`${driver.name}: compaction`, () => compactionCases(open));
  if (driver.ownsLog !== false) {
    describe(`${driver.name}: time to live`, () => expiryCases(open));
  }
  describe(`${driver.name}: close`, () => {
    closeCases(open);
    if (driver.isDurable) durableCases(driver, root);
  });
}

function readWriteCases(open: Open): void {
  it('starts at a revision above 0 without keys', async (t) => {
    const store = await open(t);
    assert.ok(store.currentRevision >= 1);
    assert.equal(store.compactRevision, 0);
    assert.equal(await store.get('/a'), undefined);
    assert.deepEqual((await store.list('')).items, []);
  });

  it('gives each change the next revision and its bytes', async (t) => {
    const store = await open(t);
    const first = store.currentRevision + 1;
    const created = await store.create('/a', encoded('one'));
    assert.deepEqual(created, {
      key: '/a',
      value: Buffer.from(`one@${first}`),
      createRevision: first,
      modRevision: first,
    });
    const updated = await store.update('/a', first, encoded('two'));
    assert.equal(updated.modRevision, first + 1);
    assert.equal(updated.createRevision, first);
    assert.deepEqual(await store.get('/a'), updated);
    assert.equal(store.currentRevision, first + 1);
    const deleted = await store.delete('/a', first + 1, encoded('gone'));
    assert.equal(deleted.modRevision, first + 2);
    assert.equal(await store.get('/a'), undefined);
    const again = await store.create('/a', encoded('three'));
    assert.equal(again.createRevision, first + 3);
  });

  it('keeps empty values, large values and keys outside ASCII', async (t) => {
    const store = await open(t);
    const large = Buffer.alloc(1_500_000, 'x');
    await Promise.all([
      store.create('/empty', () => Buffer.alloc(0)),
      store.create('/large', () => large),
      store.create('/ключ/\u{1f600}', encoded('smile')),
      store.create('/ключ/\uffee', encoded('arrow')),
    ]);
    assert.equal((await store.get('/empty'))!.value.length, 0);
    assert.ok((await store.get('/large'))!.value.equals(large));
    // Byte order: the code point above U+FFFF comes last, against UTF-16 order.
    const keys = (await store.list('/ключ/')).items.map((item) => item.key);
    assert.deepEqual(keys, ['/ключ/\uffee', '/ключ/\u{1f600}']);
  });

  it('refuses to create a key that exists', async (t) => {
    const store = await open(t);
    await store.create('/a', encoded('one'));
    await assert.rejects(store.create('/a', encoded('two')), code('KeyExists'));
  });

  it('refuses a stale revision and tells the current state', async (t) => {
    const store = await open(t);
    const { modRevision } = await store.create('/a', encoded('one'));
    const now = await store.update('/a', modRevision, encoded('two'));
    const check = (error: unknown): boolean => {
      assert.ok(error instanceof StoreError);
      assert.equal(error.code, 'RevisionMismatch');
      assert.deepEqual(error.current, now);
      return true;
    };
    await assert.rejects(store.update('/a', modRevision, encoded('three')), check);
    await assert.rejects(store.delete('/a', modRevision, encoded('three')), check);
    await assert.rejects(store.update('/none', 1, encoded('x')), (error: unknown) => {
      assert.ok(error instanceof StoreError && error.code === 'RevisionMismatch');
      return error.current === undefined;
    });
  });

  it('lets exactly one of many racing writers win each revision', async (t) => {
    const store = await open(t);
    const creates = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => store.create('/race', encoded(`c${i}`))),
    );
    assert.equal(creates.filter((result) => result.status === 'fulfilled').length, 1);
    const count = async (): Promise<void> => {
      for (let won = 0; won < 10;) {
        const item = (await store.get('/race'))!;
        const next = Number(item.value.toString().replace(/^\D*(\d+)@.*/, '$1')) + 1;
        const write = store.update('/race', item.modRevision, encoded(`n${next}`));
        won += await write.then(
          () => 1,
          (error: unknown) => (code('RevisionMismatch')(error) ? 0 : Promise.reject(error)),
        );
      }
    };
    const start = (await store.get('/race'))!;
    await store.update('/race', start.modRevision, encoded('n0'));
    await Promise.all([count(), count(), count(), count()]);
    assert.match((await store.get('/race'))!.value.toString(), /^n40@/);
  });

  it('reads earlier states', async (t) => {
    const store = await open(t);
    const one = await store.create('/a', encoded('one'));
    const two = await store.update('/a', one.modRevision, encoded('two'));
    const gone = await store.delete('/a', two.modRevision, encoded('gone'));
    assert.deepEqual(await store.get('/a', one.modRevision), one);
    assert.deepEqual(await store.get('/a', two.modRevision), two);
    assert.equal(await store.get('/a', gone.modRevision), undefined);
    assert.equal(await store.get('/a', one.modRevision - 1), undefined);
    await assert.rejects(store.get('/a', gone.modRevision + 1), code('FutureRevision'));
  });
}

function pipelineCases(open: Open): void {
  it('builds writes on writes that are not durable yet', async (t) => {
    const store = await open(t);
    const base = store.currentRevision;
    const results = await Promise.allSettled([
      store.create('/a', encoded('one')),
      store.update('/a', base + 1, encoded('two')),
      store.create('/a', encoded('refused')),
      store.delete('/a', base + 2, encoded('gone')),
      store.create('/a', encoded('again')),
      store.update('/a', base + 1, encoded('stale')),
    ]);
    const outcome = results.map((result) =>
      result.status === 'fulfilled' ? result.value.modRevision - base : result.reason.code,
    );
    assert.deepEqual(outcome, [1, 2, 'KeyExists', 3, 4, 'RevisionMismatch']);
    assert.equal((await store.get('/a'))!.value.toString(), `again@${base + 4}`);
  });
}

function listCases(open: Open): void {
  const fill = async (store: Backend): Promise<void> => {
    for (const key of ['/b/1', '/a/2', '/a/1', '/a/3', '/ab']) {
      await store.create(key, encoded('v'));
    }
  };
  const keysOf = (items: readonly KeyValue[]): string => items.map((item) => item.key).join(' ');

  it('gives the keys of a prefix in byte order', async (t) => {
    const store = await open(t);
    await fill(store);
    const all = await store.list('/a/');
    assert.equal(keysOf(all.items), '/a/1 /a/2 /a/3');
    assert.equal(all.remaining, 0);
    assert.equal(all.revision, store.currentRevision);
    assert.equal(keysOf((await store.list('')).items), '/a/1 /a/2 /a/3 /ab /b/1');
    assert.equal(await store.count('/a'), 4);
    assert.equal(await store.count('/c'), 0);
  });

  it('pages through one revision while keys change', async (t) => {
    const store = await open(t);
    await fill(store);
    const first = await store.list('/a/', { limit: 1 });
    assert.equal(keysOf(first.items), '/a/1');
    assert.equal(first.remaining, 2);
    const two = (await store.get('/a/2'))!;
    await store.delete('/a/2', two.modRevision, encoded('gone'));
    await store.create('/a/25', encoded('new'));
    const { revision } = first;
    const second = await store.list('/a/', { limit: 1, after: '/a/1', revision });
    assert.deepEqual(texts(second.items), texts([two]));
    assert.equal(second.remaining, 1);
    const last = await store.list('/a/', { limit: 9, after: '/a/2', revision });
    assert.equal(keysOf(last.items), '/a/3');
    assert.equal(last.remaining, 0);
    assert.equal(keysOf((await store.list('/a/', { after: '/a/1' })).items), '/a/25 /a/3');
  });

  it('hands out one state page by page, whatever happens between them', async (t) => {
    const store = await open(t);
    await fill(store);
    const { revision } = await store.list('/a');
    const now = store.pages('/a', { pageItems: 2 });
    const before = store.pages('/a', { pageItems: 3, after: '/a/1', revision, limit: 3 });
    const seen: string[] = [];
    for await (const page of now) {
      seen.push(`${keysOf(page.items)} +${page.remaining}`);
      assert.equal(page.revision, revision);
      if (seen.length > 1) continue;
      const three = (await store.get('/a/3'))!;
      await store.delete('/a/3', three.modRevision, encoded('gone'));
      await store.create('/a/25', encoded('new'));
    }
    assert.deepEqual(seen, ['/a/1 /a/2 +2', '/a/3 /ab +0']);
    const later: string[] = [];
    for await (const page of before) later.push(`${keysOf(page.items)} +${page.remaining}`);
    assert.deepEqual(later, ['/a/2 /a/3 /ab +0']);
    const none: number[] = [];
    for await (const page of store.pages('/c/', { pageItems: 2 })) none.push(page.items.length);
    assert.deepEqual(none, [0]);
    const two = store.pages('/a/', { pageItems: 1, limit: 2 });
    const limited: number[] = [];
    for await (const page of two) limited.push(page.remaining);
    assert.deepEqual(limited, [2, 1]);
  });

  it('is not held up by who leaves the pages early', async (t) => {
    const store = await open(t);
    await fill(store);
    for await (const page of store.pages('/', { pageItems: 1 })) {
      assert.equal(page.remaining, 4);
      break;
    }
    await store.compact(store.currentRevision);
  });

  it('refuses a revision that does not exist yet', async (t) => {
    const store = await open(t);
    const revision = store.currentRevision + 1;
    await assert.rejects(store.list('/', { revision }), code('FutureRevision'));
    const pages = store.pages('/', { revision, pageItems: 1 })[Symbol.asyncIterator]();
    await assert.rejects(pages.next(), code('FutureRevision'));
  });
}

function compactionCases(open: Open): void {
  it('forgets history but no current state', async (t) => {
    const store = await open(t);
    const base = store.currentRevision;
    await store.create('/a', encoded('one'));
    await store.update('/a', base + 1, encoded('two'));
    await store.create('/b', encoded('b'));
    await store.delete('/b', base + 3, encoded('gone'));
    await store.update('/a', base + 2, encoded('three'));
    await store.compact(base + 4);
    assert.equal(store.compactRevision, base + 4);
    const isCompacted = (error: unknown): boolean =>
      error instanceof StoreError &&
      error.code === 'Compacted' &&
      error.compactRevision === base + 4;
    await assert.rejects(store.get('/a', base + 3), isCompacted);
    await assert.rejects(store.list('/', { revision: base + 1 }), isCompacted);
    await assert.rejects(store.compact(base + 4), isCompacted);
    const seen = new Recorder();
    store.watch('/', base + 3, seen);
    assert.ok(isCompacted(await seen.untilError()));
    assert.equal((await store.get('/a', base + 4))!.value.toString(), `two@${base + 2}`);
    assert.deepEqual(texts((await store.list('/')).items), [`/a=three@${base + 5}`]);
    const late = new Recorder();
    store.watch('/', base + 4, late);
    assert.deepEqual(summary(await late.until(1)), [
      `put /a three@${base + 5} was two@${base + 2}`,
    ]);
  });

  it('refuses to compact the future', async (t) => {
    const store = await open(t);
    await assert.rejects(store.compact(store.currentRevision + 1), code('FutureRevision'));
  });

  it('lets deleted keys be created again during and after it', async (t) => {
    const store = await open(t);
    const cycle = async (): Promise<void> => {
      const { modRevision } = await store.create('/a', encoded('v'));
      await store.delete('/a', modRevision, encoded('gone'));
    };
    await cycle();
    await cycle();
    const compacting = store.compact(store.currentRevision);
    await cycle();
    await compacting;
    await cycle();
    await store.compact(store.currentRevision);
    await cycle();
    await store.create('/a', encoded('last'));
    assert.equal(await store.count('/'), 1);
  });

  it('does not go back in revisions when the newest change is gone', async (t) => {
    const store = await open(t);
    const { modRevision } = await store.create('/a', encoded('v'));
    await store.delete('/a', modRevision, encoded('gone'));
    await store.compact(store.currentRevision);
    assert.equal((await store.create('/b', encoded('v'))).modRevision, modRevision + 2);
  });
}

function expiryCases(open: Open): void {
  it('deletes a key when its time is over, telling watchers', async (t) => {
    const clock = new FakeClock();
    const store = await open(t, clock);
    const seen = new Recorder();
    const base = store.currentRevision;
    store.watch('/', base, seen);
    await store.create('/short', encoded('v'), { ttlSeconds: 10 });
    await store.create('/long', encoded('v'), { ttlSeconds: 100 });
    await clock.advance(9_999);
    assert.equal(await store.count('/'), 2);
    await clock.advance(1);
    assert.deepEqual(summary(await seen.until(3)).slice(2), [
      `delete /short v@${base + 1} was v@${base + 1}`,
    ]);
    assert.equal(await store.count('/'), 1);
  });

  it('gives a key that is written again its new time', async (t) => {
    const clock = new FakeClock();
    const store = await open(t, clock);
    const one = await store.create('/renewed', encoded('v'), { ttlSeconds: 10 });
    const kept = await store.create('/kept', encoded('v'), { ttlSeconds: 10 });
    await clock.advance(5_000);
    await store.update('/renewed', one.modRevision, encoded('w'), { ttlSeconds: 10 });
    await store.update('/kept', kept.modRevision, encoded('w'));
    await clock.advance(9_000);
    assert.equal(await store.count('/'), 2);
    await clock.advance(1_000);
    await eventually(async () => (await store.count('/')) === 1);
    await clock.advance(60_000);
    assert.equal(await store.count('/kept'), 1);
  });
}

function closeCases(open: Open): void {
  it('finishes pending writes, then refuses everything', async (t) => {
    const store = await open(t);
    const writes = [store.create('/a', encoded('v')), store.create('/b', encoded('v'))];
    await Promise.resolve();
    await store.close();
    assert.equal((await Promise.all(writes)).length, 2);
    await assert.rejects(store.create('/c', encoded('v')), code('Closed'));
    await assert.rejects(store.get('/a'), code('Closed'));
    await assert.rejects(store.list('/'), code('Closed'));
    await store.close();
  });
}

function durableCases(driver: ContractDriver, root: string): void {
  it('holds everything when opened again', async (t) => {
    const dir = join(root, 'reopened');
    const clock = new FakeClock();
    const open = (): Promise<Backend> => driver.open({ dir, clock, log: silentLogger });
    const first = await open();
    const base = first.currentRevision;
    await first.create('/a', encoded('one'));
    await first.update('/a', base + 1, encoded('two'));
    await first.create('/b', encoded('b'), { ttlSeconds: 30 });
    await first.create('/c', encoded('c'));
    await first.compact(base + 1);
    await first.delete('/c', base + 4, encoded('gone'));
    await first.close();

    const second = await open();
    t.after(() => second.close());
    assert.equal(second.currentRevision, base + 5);
    assert.equal(second.compactRevision, base + 1);
    const a = (await second.get('/a'))!;
    assert.deepEqual([a.createRevision, a.modRevision], [base + 1, base + 2]);
    assert.deepEqual(texts((await second.list('/')).items), [
      `/a=two@${base + 2}`,
      `/b=b@${base + 3}`,
    ]);
    const seen = new Recorder();
    second.watch('/', base + 1, seen);
    await seen.until(4);
    assert.deepEqual(summary(seen.events).at(-1), `delete /c gone@${base + 5} was c@${base + 4}`);
    assert.equal((await second.create('/c', encoded('new'))).modRevision, base + 6);
    await clock.advance(30_000);
    await seen.until(6);
    assert.equal(await second.count('/b'), 0);
  });

  it('does not go back in revisions when opened after a full compaction', async (t) => {
    const dir = join(root, 'compacted');
    const options = { dir, clock: new FakeClock(), log: silentLogger };
    const first = await driver.open(options);
    const { modRevision } = await first.create('/a', encoded('v'));
    await first.delete('/a', modRevision, encoded('gone'));
    await first.compact(first.currentRevision);
    await first.close();
    const second = await driver.open(options);
    t.after(() => second.close());
    assert.equal(second.currentRevision, modRevision + 1);
    assert.equal((await second.create('/a', encoded('v'))).modRevision, modRevision + 2);
  });
}
