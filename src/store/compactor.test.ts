import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Backend } from './backend.ts';
import { startCompactor } from './compactor.ts';
import { openMemory } from './drivers/memory.ts';
import { StoreError } from './errors.ts';

const minuteMs = 60_000;

async function write(store: Backend, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await store.create(`/${store.currentRevision}`, () => Buffer.alloc(1));
  }
}

function start(t: TestContext, options: { keepRevisions?: number } = {}) {
  const clock = new FakeClock();
  const log = silentLogger;
  const store = openMemory({ clock, log });
  const compactor = startCompactor({ backend: store, clock, log, ...options });
  t.after(async () => {
    await compactor.close();
    await store.close();
  });
  return { clock, store, compactor };
}

it('compacts every five minutes to the revision of the tick before', async (t) => {
  const { clock, store } = start(t, { keepRevisions: 10 });
  await write(store, 99);
  await clock.advance(5 * minuteMs);
  assert.equal(store.compactRevision, 1);
  await write(store, 100);
  await clock.advance(5 * minuteMs);
  assert.equal(store.compactRevision, 100);
  await clock.advance(5 * minuteMs);
  assert.equal(store.compactRevision, 190);
});

it('never takes the newest thousand revisions', async (t) => {
  const { clock, store } = start(t);
  await write(store, 999);
  await clock.advance(15 * minuteMs);
  assert.equal(store.compactRevision, 0);
  await write(store, 5);
  await clock.advance(5 * minuteMs);
  assert.equal(store.compactRevision, 5);
});

it('goes on after a compaction that failed, and ends when closed', async (t) => {
  const { clock, store, compactor } = start(t, { keepRevisions: 0 });
  await write(store, 50);
  const compact = t.mock.method(store, 'compact', async () => {
    throw new StoreError('Unavailable', 'no space left');
  });
  await clock.advance(10 * minuteMs);
  assert.equal(compact.mock.callCount(), 2);
  compact.mock.restore();
  await clock.advance(5 * minuteMs);
  assert.equal(store.compactRevision, 51);
  await compactor.close();
  assert.equal(clock.pendingTimers, 0);
});
