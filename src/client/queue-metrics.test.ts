import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { createQueueMeter } from './queue-metrics.ts';
import { createWorkQueue } from './work-queue.ts';

test('a queue is counted under its name: what waits, what is worked on, and for how long', async () => {
  const clock = new FakeClock();
  const registry = new MetricRegistry();
  const stop = new AbortController();
  const { signal } = stop;
  const names = { 'job-controller': 'job' };
  const meter = createQueueMeter({ registry, clock, names, signal });
  const queue = createWorkQueue<string>({ clock, watcher: meter.watch('job-controller') });
  queue.add('a');
  queue.add('a');
  queue.add('b');
  await clock.advance(2000);
  assert.equal(await queue.get(), 'a');
  await clock.advance(3000);
  const value = async (name: string): Promise<string | undefined> => {
    const lines = (await registry.render()).split('\n');
    return lines.find((line) => line.startsWith(`workqueue_${name}{name="job"`))?.split(' ')[1];
  };
  assert.equal(await value('adds_total'), '2');
  assert.equal(await value('depth'), '1');
  assert.equal(await value('unfinished_work_seconds'), '3');
  assert.equal(await value('longest_running_processor_seconds'), '3');
  assert.equal(await value('queue_duration_seconds_sum'), '2');
  queue.addRateLimited('a');
  queue.done('a');
  assert.equal(await value('retries_total'), '1');
  assert.equal(await value('work_duration_seconds_sum'), '3');
  assert.equal(await value('unfinished_work_seconds'), '0');
  stop.abort();
  assert.equal(await value('depth'), undefined);
  assert.equal(await value('adds_total'), '2');
});
