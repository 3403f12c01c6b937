import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DelayQueue } from './delay-queue.ts';
import { FakeClock } from './fake-clock.ts';
import { seededRandom } from './random.ts';

it('hands items out when they are due, earliest first', async () => {
  const clock = new FakeClock();
  const out: string[] = [];
  const queue = new DelayQueue<string>({ clock, onDue: () => out.push(...queue.takeDue(10)) });
  queue.add('late', 300);
  queue.add('early', 100);
  queue.add('also early', 100);
  await clock.advance(99);
  assert.deepEqual(out, []);
  await clock.advance(1);
  assert.deepEqual(out, ['early', 'also early']);
  queue.add('before late', 50);
  await clock.advance(200);
  assert.deepEqual(out.slice(2), ['before late', 'late']);
  assert.equal(clock.pendingTimers, 0);
});

it('sorts any number of items and takes at most as many as asked for', async () => {
  const clock = new FakeClock();
  const random = seededRandom(7);
  const sizes: number[] = [];
  const out: number[] = [];
  const queue = new DelayQueue<number>({
    clock,
    onDue: () => {
      const due = queue.takeDue(64);
      sizes.push(due.length);
      out.push(...due);
    },
  });
  const delays = Array.from({ length: 1000 }, () => random.integer(50));
  for (const delayMs of delays) queue.add(delayMs, delayMs);
  await clock.advance(50);
  assert.deepEqual(
    out,
    delays.toSorted((a, b) => a - b),
  );
  assert.ok(Math.max(...sizes) <= 64);
});

it('is silent after clear', async () => {
  const clock = new FakeClock();
  const queue = new DelayQueue<string>({ clock, onDue: () => assert.fail('due after clear') });
  queue.add('a', 10);
  queue.clear();
  await clock.advance(20);
  assert.equal(queue.size, 0);
});
