import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FakeClock } from './fake-clock.ts';
import { createReconcileLoop } from './reconcile-loop.ts';

describe('reconcile loop', () => {
  function setUp() {
    const clock = new FakeClock();
    const stop = new AbortController();
    const runs: PromiseWithResolvers<void>[] = [];
    const errors: unknown[] = [];
    const trigger = createReconcileLoop({
      reconcile: () => {
        const run = Promise.withResolvers<void>();
        runs.push(run);
        return run.promise;
      },
      onError: (error) => errors.push(error),
      retryMs: 2000,
      clock,
      signal: stop.signal,
    });
    return { clock, stop, runs, errors, trigger };
  }

  it('runs once more for any number of changes while it runs', async () => {
    const { clock, runs, trigger } = setUp();
    for (let i = 0; i < 5; i++) trigger();
    assert.equal(runs.length, 1);
    runs[0]?.resolve();
    await clock.advance(0);
    assert.equal(runs.length, 2);
    runs[1]?.resolve();
    await clock.advance(10_000);
    assert.equal(runs.length, 2);
  });

  it('tries a failed run again after a while', async () => {
    const { clock, runs, errors, trigger } = setUp();
    trigger();
    runs[0]?.reject(new Error('no'));
    await clock.advance(1999);
    assert.equal(errors.length, 1);
    assert.equal(runs.length, 1);
    await clock.advance(1);
    assert.equal(runs.length, 2);
  });

  it('starts nothing after the signal', async () => {
    const { clock, stop, runs, trigger } = setUp();
    trigger();
    runs[0]?.reject(new Error('no'));
    await clock.advance(0);
    stop.abort();
    await clock.advance(10_000);
    trigger();
    assert.equal(runs.length, 1);
  });
});
