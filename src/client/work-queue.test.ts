import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#base/eventually.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createWorkQueue } from './work-queue.ts';

test('hands out an item once, however often it was added, in order of arrival', async () => {
  const queue = createWorkQueue<string>({ clock: new FakeClock() });
  for (const item of ['a', 'b', 'a', 'c', 'b']) queue.add(item);
  assert.equal(queue.length, 3);
  assert.deepEqual([await queue.get(), await queue.get(), await queue.get()], ['a', 'b', 'c']);
});

test('an item added while it is worked on comes again after done, not before', async () => {
  const queue = createWorkQueue<string>({ clock: new FakeClock() });
  queue.add('a');
  assert.equal(await queue.get(), 'a');
  queue.add('a');
  queue.add('a');
  assert.equal(queue.length, 0);
  queue.done('a');
  assert.equal(queue.length, 1);
  assert.equal(await queue.get(), 'a');
  queue.done('a');
  assert.equal(queue.length, 0);
});

test('a waiting taker gets the item as soon as it is added', async () => {
  const queue = createWorkQueue<string>({ clock: new FakeClock() });
  const taken = queue.get();
  queue.add('a');
  assert.equal(await taken, 'a');
});

test('addAfter waits, and keeps the earlier of two times', async () => {
  const clock = new FakeClock();
  const queue = createWorkQueue<string>({ clock });
  queue.addAfter('late', 5000);
  queue.addAfter('a', 3000);
  queue.addAfter('a', 1000);
  queue.addAfter('a', 4000);
  await clock.advance(999);
  assert.equal(queue.length, 0);
  await clock.advance(1);
  assert.equal(await queue.get(), 'a');
  queue.done('a');
  await clock.advance(3500);
  assert.equal(queue.length, 0);
  await clock.advance(500);
  assert.equal(await queue.get(), 'late');
  assert.equal(clock.pendingTimers, 0);
});

test('back-off doubles from 5 ms to 1000 s and starts again after forget', async () => {
  const clock = new FakeClock();
  const queue = createWorkQueue<string>({ clock });
  const delays: number[] = [];
  for (let i = 0; i < 20; i++) {
    const start = clock.now();
    queue.addRateLimited('a');
    await eventually(
      'the retry',
      () => queue.length > 0,
      () => clock.advance(5),
    );
    delays.push(clock.now() - start);
    queue.done((await queue.get()) as string);
    // The bucket for all retries refills meanwhile.
    if (i < 6) continue;
    break;
  }
  assert.deepEqual(delays, [5, 10, 20, 40, 80, 160, 320]);
  assert.equal(queue.retries('a'), 7);
  queue.forget('a');
  const start = clock.now();
  queue.addRateLimited('a');
  await eventually(
    'the retry',
    () => queue.length > 0,
    () => clock.advance(5),
  );
  assert.equal(clock.now() - start, 5);
});

test('all retries together pass 100 at once and then 10 a second', async () => {
  const clock = new FakeClock();
  const queue = createWorkQueue<number>({ clock });
  for (let item = 0; item < 120; item++) queue.addRateLimited(item);
  await clock.advance(50);
  assert.equal(queue.length, 100);
  await clock.advance(1000);
  assert.equal(queue.length, 110);
});

test('drain takes nothing more and waits for what is being worked on', async () => {
  const queue = createWorkQueue<string>({ clock: new FakeClock() });
  queue.add('a');
  queue.add('b');
  const taken = await queue.get();
  let isDrained = false;
  const drained = queue.drain().then(() => {
    isDrained = true;
  });
  queue.add('c');
  assert.equal(await queue.get(), 'b');
  assert.equal(await queue.get(), undefined);
  queue.done('b');
  assert.equal(isDrained, false);
  queue.done(taken as string);
  await drained;
});
