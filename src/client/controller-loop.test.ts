import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { startControllerLoop } from './controller-loop.ts';

test('retries a failed key after its back-off and forgets it after success', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const times: number[] = [];
  const loop = startControllerLoop({
    name: 'test',
    clock,
    log: silentLogger,
    signal: stop.signal,
    reconcile: async () => {
      times.push(clock.now());
      if (times.length < 4) throw new Error('not yet');
    },
  });
  const start = clock.now();
  loop.queue.add('a');
  await clock.advance(10_000);
  assert.deepEqual(
    times.map((time) => time - start),
    [0, 5, 15, 35],
  );
  assert.equal(loop.queue.retries('a'), 0);
  stop.abort();
  await loop.done;
});

test('works on as many keys at a time as there are workers, and waits for them at the end', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const finish: (() => void)[] = [];
  const loop = startControllerLoop({
    name: 'test',
    clock,
    log: silentLogger,
    signal: stop.signal,
    workers: 2,
    reconcile: () => new Promise<void>((resolve) => void finish.push(resolve)),
  });
  for (const key of ['a', 'b', 'c']) loop.queue.add(key);
  await clock.advance(0);
  assert.equal(finish.length, 2);
  stop.abort();
  let isDone = false;
  void loop.done.then(() => {
    isDone = true;
  });
  await clock.advance(0);
  assert.equal(isDone, false);
  for (const resolve of finish) resolve();
  await loop.done;
  assert.equal(finish.length, 2);
});

test('calls again after the time that a reconcile asks for, and not before informers are ready', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  let calls = 0;
  const loop = startControllerLoop({
    name: 'test',
    clock,
    log: silentLogger,
    signal: stop.signal,
    ready: clock.sleep(1000),
    reconcile: async () => {
      calls += 1;
      return { requeueAfterMs: 5000 };
    },
  });
  loop.queue.add('a');
  await clock.advance(999);
  assert.equal(calls, 0);
  await clock.advance(5000);
  assert.equal(calls, 1);
  await clock.advance(1001);
  assert.equal(calls, 2);
  stop.abort();
});
