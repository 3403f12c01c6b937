import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeClock } from './fake-clock.ts';
import type { Random } from './random.ts';
import { seededRandom } from './random.ts';
import { addJitter, Backoff, retry, type BackoffSettings } from './retry.ts';

const middle: Random = { ...seededRandom(1), float: () => 0.5 };

// Expected delays follow from the Step function of k8s.io/apimachinery's wait.Backoff.
const cases: { name: string; settings: BackoffSettings; delays: number[] }[] = [
  {
    name: 'grows by its factor for as many steps as it has',
    settings: { durationMs: 10, factor: 2, steps: 3 },
    delays: [10, 20, 40, 80, 80],
  },
  {
    name: 'stays at the cap once growth passes it',
    settings: { durationMs: 10, factor: 3, steps: 10, capMs: 50 },
    delays: [10, 30, 50, 50],
  },
  {
    name: 'stays the same without a factor',
    settings: { durationMs: 10, steps: 2 },
    delays: [10, 10, 10],
  },
  {
    name: 'adds jitter to the delay but not to its growth',
    settings: { durationMs: 100, factor: 2, jitter: 0.2, steps: 2 },
    delays: [110, 220, 440],
  },
];

for (const { name, settings, delays } of cases) {
  it(name, () => {
    const backoff = new Backoff(settings, middle);
    assert.deepEqual(
      delays.map(() => Math.round(backoff.next())),
      delays,
    );
  });
}

it('takes a jitter of 0 or less for 1, as wait.Jitter', () => {
  assert.equal(addJitter(100, 0, middle), 150);
});

it('gives up after as many attempts as it has steps, with the last error', async () => {
  const clock = new FakeClock();
  const at: number[] = [];
  const startMs = clock.now();
  const result = retry(
    async () => {
      at.push(clock.now() - startMs);
      throw new Error(`attempt ${at.length}`);
    },
    { durationMs: 10, factor: 2, steps: 3, clock, random: middle },
  );
  const rejected = assert.rejects(result, /attempt 3/);
  await clock.advance(1000);
  await rejected;
  assert.deepEqual(at, [0, 10, 30]);
});

it('returns the first success and throws what cannot be retried at once', async () => {
  const clock = new FakeClock();
  const options = { durationMs: 10, steps: 5, clock, random: middle };
  let attempts = 0;
  const success = retry(async () => {
    if (++attempts < 3) throw new Error('not yet');
    return 'done';
  }, options);
  await clock.advance(100);
  assert.equal(await success, 'done');
  const fatal = retry(() => Promise.reject(new Error('fatal')), {
    ...options,
    isRetriable: () => false,
  });
  await assert.rejects(fatal, /fatal/);
});

it('ends with the reason of its signal while waiting', async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const options = { durationMs: 10, steps: 5, clock, random: middle, signal: controller.signal };
  const result = retry(() => Promise.reject(new Error('no')), options);
  const rejected = assert.rejects(result, /stopped/);
  await clock.advance(0);
  controller.abort(new Error('stopped'));
  await rejected;
  assert.equal(clock.pendingTimers, 0);
});
