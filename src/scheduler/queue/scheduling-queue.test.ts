import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import type { Pod, PodSpec } from '#schema/types.ts';
import { createPodInfo } from '../framework/node-info.ts';
import type { PodInfo } from '../framework/node-info.ts';
import type { RetryRule } from '../framework/retry-rule.ts';
import { unresolvable } from '../framework/status.ts';
import { createSchedulingQueue } from './scheduling-queue.ts';
import type { QueuedPod, SchedulingQueue } from './scheduling-queue.ts';

function pod(name: string, spec: Partial<PodSpec> = {}): PodInfo {
  const one: Pod = {
    metadata: { name, namespace: 'default', uid: name },
    spec: { containers: [{ name: 'c' }], ...spec },
  };
  return createPodInfo(one);
}

const rules: Readonly<Record<string, RetryRule>> = {
  Fit: { events: ['Node/Add', 'AssignedPod/Delete'] },
  Labels: {
    events: ['Node/Add'],
    isHelpedBy: (_pod, { node }) => node?.metadata.labels?.['good'] === 'yes',
  },
  SchedulingGates: { events: [] },
};

function start(): { queue: SchedulingQueue; clock: FakeClock; readiness: () => number } {
  const clock = new FakeClock();
  let ready = 0;
  const queue = createSchedulingQueue({
    clock,
    less: (a, b) => b.priority - a.priority || a.enqueuedMs - b.enqueuedMs,
    gate: ({ pod: { spec } }) =>
      (spec?.schedulingGates ?? []).length === 0
        ? undefined
        : { ...unresolvable('gated'), plugin: 'SchedulingGates' },
    retryRule: (_pod, plugin) => rules[plugin],
    onReady: () => void ready++,
  });
  return { queue, clock, readiness: () => ready };
}

function popped(queue: SchedulingQueue): QueuedPod {
  const queued = queue.pop();
  assert.ok(queued);
  return queued;
}

describe('scheduling queue', () => {
  it('gives the highest priority first, then who came first', () => {
    const { queue } = start();
    queue.add(pod('first'));
    queue.add(pod('second'));
    queue.add(pod('important', { priority: 10 }));
    const order = [popped(queue), popped(queue), popped(queue)].map(({ key }) => key);
    assert.deepEqual(order, ['default/important', 'default/first', 'default/second']);
    assert.equal(queue.pop(), undefined);
  });

  it('a refused pod waits for an event of a plugin that refused it', () => {
    const { queue } = start();
    queue.add(pod('a'));
    queue.markUnschedulable(popped(queue), new Set(['Fit']));
    queue.moveFor({ event: 'Node/UpdateLabel' });
    assert.equal(queue.pop(), undefined);
    assert.equal(queue.sizes.unschedulable, 1);
    queue.moveFor({ event: 'AssignedPod/Delete' });
    assert.equal(queue.sizes.backoff, 1);
  });

  it('an idle scheduler takes a refused pod out of its back-off, but not one that failed', async () => {
    const { queue, clock } = start();
    queue.add(pod('refused'));
    queue.markUnschedulable(popped(queue), new Set(['Fit']));
    queue.moveFor({ event: 'Node/Add' });
    assert.equal(popped(queue).key, 'default/refused');
    queue.add(pod('failed'));
    queue.markFailed(popped(queue));
    assert.equal(queue.pop(), undefined);
    await clock.advance(999);
    assert.equal(queue.pop(), undefined);
    await clock.advance(1);
    assert.equal(popped(queue).key, 'default/failed');
  });

  const backoffs: readonly [failures: number, waitMs: number][] = [
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [4, 8000],
    [5, 10_000],
    [9, 10_000],
  ];
  for (const [failures, waitMs] of backoffs) {
    it(`after ${failures} failures a pod waits ${waitMs} ms`, async () => {
      const { queue, clock } = start();
      queue.add(pod('a'));
      for (let failure = 1; failure < failures; failure++) {
        queue.markFailed(popped(queue));
        await clock.advance(10_000);
      }
      queue.markFailed(popped(queue));
      await clock.advance(waitMs - 1);
      assert.equal(queue.pop(), undefined);
      await clock.advance(1);
      assert.equal(popped(queue).attempts, failures + 1);
    });
  }

  it('a hint that says no leaves the pod where it is', () => {
    const { queue } = start();
    queue.add(pod('a'));
    queue.markUnschedulable(popped(queue), new Set(['Labels']));
    queue.moveFor({ event: 'Node/Add', node: { metadata: { name: 'n' } } });
    assert.equal(queue.pop(), undefined);
    const node = { metadata: { name: 'n', labels: { good: 'yes' } } };
    queue.moveFor({ event: 'Node/Add', node });
    assert.equal(popped(queue).key, 'default/a');
  });

  it('an event while the pod is placed brings it back at once if it helps', () => {
    const { queue } = start();
    queue.add(pod('a'));
    const first = popped(queue);
    queue.moveFor({ event: 'Node/UpdateTaint' });
    queue.markUnschedulable(first, new Set(['Fit']));
    assert.equal(queue.pop(), undefined);
    queue.moveFor({ event: 'Node/Add' });
    const second = popped(queue);
    queue.moveFor({ event: 'Node/Add' });
    queue.markUnschedulable(second, new Set(['Fit']));
    assert.equal(popped(queue).key, 'default/a');
  });

  it('a pod that nothing helps is tried again after five minutes', async () => {
    const { queue, clock } = start();
    queue.add(pod('a'));
    queue.markUnschedulable(popped(queue), new Set(['Fit']));
    await clock.advance(4 * 60_000);
    assert.equal(queue.pop(), undefined);
    for (let turn = 0; turn < 4; turn++) await clock.advance(30_000);
    assert.equal(popped(queue).key, 'default/a');
  });

  it('a gated pod counts as gated and comes when its gates are gone', () => {
    const { queue } = start();
    queue.add(pod('a', { schedulingGates: [{ name: 'wait' }] }));
    assert.equal(queue.pop(), undefined);
    assert.deepEqual(queue.sizes, { active: 0, backoff: 0, unschedulable: 0, gated: 1 });
    queue.add(pod('a'));
    assert.equal(popped(queue).attempts, 1);
  });

  it('a new status is taken over without bringing the pod back', () => {
    const { queue } = start();
    queue.add(pod('a'));
    const queued = popped(queue);
    queue.markUnschedulable(queued, new Set(['Fit']));
    const newer = pod('a');
    queue.refresh(newer);
    assert.equal(queue.pop(), undefined);
    assert.equal(queued.pod, newer);
  });

  it('a pod that went away while it was placed stays away', () => {
    const { queue } = start();
    queue.add(pod('a'));
    const queued = popped(queue);
    queue.remove('default/a');
    queue.markUnschedulable(queued, new Set(['Fit']));
    queue.moveFor({ event: 'Node/Add' });
    assert.equal(queue.pop(), undefined);
    assert.equal(queue.size, 0);
  });

  it('after its end no timer wakes anybody', async () => {
    const { queue, clock, readiness } = start();
    queue.add(pod('a'));
    queue.markFailed(popped(queue));
    const before = readiness();
    queue.close();
    await clock.advance(10 * 60_000);
    assert.equal(readiness(), before);
  });
});
