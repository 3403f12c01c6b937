import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Backend, KeyValue, StoreEvent } from './backend.ts';
import { encoded, Recorder, summary } from './contract-tools.ts';
import { openMemory } from './drivers/memory.ts';
import { openSqlite } from './drivers/sqlite.ts';

const root = mkdtempSync(join(tmpdir(), 'k3ts-store-property-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** The log as the simplest thing that can be right: all events, replayed for each question. */
class Model {
  readonly base: number;
  readonly events: StoreEvent[] = [];
  compacted = 0;

  constructor(base: number) {
    this.base = base;
  }

  get current(): number {
    return this.base + this.events.length;
  }

  state(revision = this.current): Map<string, KeyValue> {
    const state = new Map<string, KeyValue>();
    for (const { type, key, value, createRevision, modRevision } of this.events) {
      if (modRevision > revision) break;
      if (type === 'delete') state.delete(key);
      else state.set(key, { key, value, createRevision, modRevision });
    }
    return state;
  }

  write(type: 'put' | 'delete', key: string, text: string): void {
    const modRevision = this.current + 1;
    const before = this.state().get(key);
    const createRevision = before?.createRevision ?? modRevision;
    const value = encoded(text)(modRevision);
    this.events.push({ type, key, value, createRevision, modRevision, previous: before?.value });
  }
}

const key = fc.constantFrom('/a/1', '/a/2', '/a/10', '/b/1', '/b');
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('put' as const), key }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('stale' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('read' as const),
      prefix: fc.constantFrom('', '/a/', '/b'),
      after: fc.option(key, { nil: '' }),
      limit: fc.nat(3),
      back: fc.nat(8),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('compact' as const), back: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('watch' as const), back: fc.nat(8) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface Watching {
  from: number;
  seen: Recorder;
}

async function run(store: Backend, operations: readonly Operation[]): Promise<void> {
  const model = new Model(store.currentRevision);
  const watches: Watching[] = [];
  for (const [i, step] of operations.entries()) {
    const back = 'back' in step ? Math.max(model.current - step.back, model.compacted) : 0;
    switch (step.op) {
      case 'put':
        await put(store, model, step.key, `v${i}`);
        break;
      case 'delete': {
        const head = model.state().get(step.key);
        const write = store.delete(step.key, head?.modRevision ?? 1, encoded(`gone${i}`));
        if (head === undefined) await assert.rejects(write, { code: 'RevisionMismatch' });
        else model.write('delete', step.key, `gone${i}`);
        await write.catch(() => undefined);
        break;
      }
      case 'stale':
        await assert.rejects(store.update(step.key, 1, encoded('never')), {
          code: 'RevisionMismatch',
          current: model.state().get(step.key),
        });
        break;
      case 'read':
        await read(store, model, { ...step, revision: Math.max(back, model.base) });
        break;
      case 'compact':
        if (back <= Math.max(model.compacted, model.base)) break;
        await store.compact(back);
        model.compacted = back;
        break;
      case 'watch': {
        const seen = new Recorder();
        const from = Math.max(back, model.base);
        store.watch('', from, seen);
        watches.push({ from, seen });
        break;
      }
    }
    assert.equal(store.currentRevision, model.current);
  }
  for (const { from, seen } of watches) {
    // A watch whose history was compacted before it could start is told so.
    if (seen.error !== undefined) {
      assert.ok(from < model.compacted);
      continue;
    }
    const expected = model.events.slice(from - model.base);
    const events = await seen.until(expected.length);
    assert.deepEqual(summary(events), summary(expected));
    assert.deepEqual(events, expected);
  }
}

async function put(store: Backend, model: Model, name: string, text: string): Promise<void> {
  const head = model.state().get(name);
  if (head === undefined) await store.create(name, encoded(text));
  else {
    await assert.rejects(store.create(name, encoded('never')), { code: 'KeyExists' });
    await store.update(name, head.modRevision, encoded(text));
  }
  model.write('put', name, text);
}

async function read(
  store: Backend,
  model: Model,
  query: { prefix: string; after: string; limit: number; revision: number },
): Promise<void> {
  const { prefix, after: start, limit, revision } = query;
  const matching = [...model.state(revision).values()]
    .filter((item) => item.key.startsWith(prefix) && item.key > start)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const items = limit === 0 ? matching : matching.slice(0, limit);
  const result = await store.list(prefix, { after: start, limit, revision });
  assert.deepEqual(result, { items, revision, remaining: matching.length - items.length });
  const paged: KeyValue[] = [];
  for await (const page of store.pages(prefix, { ...query, after: start, pageItems: 2 })) {
    paged.push(...page.items);
    assert.equal(page.remaining, matching.length - paged.length);
  }
  assert.deepEqual(paged, items);
  assert.deepEqual(await store.get('/a/1', revision), model.state(revision).get('/a/1'));
  const live = [...model.state().keys()].filter((name) => name.startsWith(prefix));
  assert.equal(await store.count(prefix), live.length);
}

it('the memory driver does what the model does', async () => {
  const script = fc.array(operation, { maxLength: 60, size: 'max' });
  const property = fc.asyncProperty(script, async (operations) => {
    const store = openMemory({ clock: new FakeClock(), log: silentLogger });
    await run(store, operations);
    await store.close();
  });
  await fc.assert(property, { numRuns: 150 });
});

it('the SQLite driver does what the model does, also over restarts', async () => {
  let number = 0;
  const script = fc.array(operation, { maxLength: 60, size: 'max' });
  const property = fc.asyncProperty(script, script, async (first, second) => {
    const path = join(root, String(number++), 'state.db');
    for (const operations of [first, second]) {
      const store = await openSqlite({ path, clock: new FakeClock(), log: silentLogger });
      // Keys of the run before are removed: the model starts empty at the current revision.
      for (const item of (await store.list('')).items) {
        await store.delete(item.key, item.modRevision, () => item.value);
      }
      await run(store, operations);
      await store.close();
    }
  });
  await fc.assert(property, { numRuns: 15 });
});
