import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { StoreError } from './errors.ts';
import { Expiry } from './expiry.ts';

function start(): { clock: FakeClock; expiry: Expiry; removed: string[]; failing: Set<string> } {
  const clock = new FakeClock();
  const removed: string[] = [];
  const failing = new Set<string>();
  const expiry = new Expiry({
    clock,
    log: silentLogger,
    isCurrent: (key) => key !== '/written-again',
    async remove(key) {
      if (failing.delete(key)) throw new StoreError('Unavailable', 'no room');
      removed.push(`${key} at ${clock.monotonicMs()}`);
    },
  });
  return { clock, expiry, removed, failing };
}

it('deletes what ends, whatever its length, the earliest first', async () => {
  const { clock, expiry, removed } = start();
  const from = clock.monotonicMs();
  expiry.track('/hour', 1, 3600);
  expiry.track('/ten', 2, 10);
  expiry.track('/written-again', 3, 10);
  await clock.advance(5000);
  expiry.track('/five', 4, 5);
  expiry.track('/ten-later', 5, 10);
  await clock.advance(5000);
  assert.deepEqual(removed, [`/ten at ${from + 10_000}`, `/five at ${from + 10_000}`]);
  await clock.advance(3_600_000);
  assert.equal(removed[2], `/ten-later at ${from + 15_000}`);
  assert.equal(removed[3], `/hour at ${from + 3_600_000}`);
  expiry.track('/more', 6, 10);
  await clock.advance(10_000);
  assert.equal(removed.length, 5);
});

it('takes a thousand that end together in turns', async () => {
  const { clock, expiry, removed } = start();
  for (let i = 0; i < 1000; i++) expiry.track(`/k/${i}`, i, 10);
  await clock.advance(10_000);
  assert.equal(removed.length, 1000);
});

it('tries again what could not be deleted', async () => {
  const { clock, expiry, removed, failing } = start();
  const from = clock.monotonicMs();
  failing.add('/a');
  expiry.track('/a', 1, 10);
  expiry.track('/b', 2, 10);
  await clock.advance(10_000);
  assert.deepEqual(removed, [`/b at ${from + 10_000}`]);
  await clock.advance(250);
  assert.deepEqual(removed.slice(1), [`/a at ${from + 10_250}`]);
});

it('deletes nothing after it was closed', async () => {
  const { clock, expiry, removed } = start();
  expiry.track('/a', 1, 10);
  expiry.close();
  expiry.track('/b', 1, 10);
  await clock.advance(20_000);
  assert.deepEqual(removed, []);
});
