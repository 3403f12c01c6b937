import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import type { Pod } from '#schema/types.ts';
import type { PodMetrics } from './metrics-client.ts';
import { defaultAutoscalingRules } from './autoscaling-rules.ts';
import {
  averageReplicas,
  sharedReplicas,
  utilizationReplicas,
  valueReplicas,
} from './replica-count.ts';
import type { CountInputs } from './replica-count.ts';

const nowMs = Date.parse('2026-01-01T12:00:00Z');

interface PodSketch {
  /** Thousandths of a CPU; absent: no numbers. */
  uses?: number;
  phase?: string;
  isReady?: boolean;
  isDeleting?: boolean;
  startedMsAgo?: number;
  changedMsAgo?: number;
}

function podsOf(sketches: readonly PodSketch[]): { pods: Pod[]; metrics: PodMetrics } {
  const metrics = new Map<string, { value: number; atMs: number; windowMs: number }>();
  const pods = sketches.map((sketch, index): Pod => {
    const name = `p${index}`;
    if (sketch.uses !== undefined) {
      metrics.set(name, { value: sketch.uses, atMs: nowMs, windowMs: 15_000 });
    }
    const startedMsAgo = sketch.startedMsAgo ?? 3_600_000;
    const changedMs = nowMs - (sketch.changedMsAgo ?? startedMsAgo - 5_000);
    return {
      metadata: {
        name,
        ...(sketch.isDeleting === true ? { deletionTimestamp: formatTime(nowMs) } : {}),
      },
      spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
      status: {
        phase: sketch.phase ?? 'Running',
        startTime: formatTime(nowMs - startedMsAgo),
        conditions: [
          {
            type: 'Ready',
            status: sketch.isReady === false ? 'False' : 'True',
            lastTransitionTime: formatTime(changedMs),
          },
        ],
      },
    };
  });
  return { pods, metrics };
}

function inputsOf(pods: Pod[], changes: Partial<CountInputs> = {}): CountInputs {
  return {
    currentReplicas: pods.length,
    pods,
    tolerances: { up: 0.1, down: 0.1 },
    nowMs,
    rules: defaultAutoscalingRules,
    ...changes,
  };
}

const cpu = { targetPercent: 50, resource: 'cpu', container: undefined };

for (const [name, sketches, expected] of [
  ['twice the target doubles', [{ uses: 1000 }, { uses: 1000 }], 4],
  ['usage near the target changes nothing', [{ uses: 540 }, { uses: 520 }], 2],
  ['low usage shrinks', [{ uses: 100 }, { uses: 100 }, { uses: 100 }], 1],
  ['a pod without numbers counts as idle when there is much load', [{ uses: 1000 }, {}], 2],
  ['a pod without numbers counts as busy when there is little', [{ uses: 100 }, {}, {}], 3],
  ['pending pods are idle when there is much load', [{ uses: 1000 }, { phase: 'Pending' }], 2],
  ['failed and leaving pods do not count', [{ uses: 1000 }, { uses: 9000, isDeleting: true }], 2],
  [
    'a pod that comes up is idle when there is much load',
    [{ uses: 1000 }, { uses: 5000, startedMsAgo: 60_000, isReady: false }],
    2,
  ],
  [
    'numbers from before a young pod was ready are not load',
    [{ uses: 1000 }, { uses: 5000, startedMsAgo: 60_000, changedMsAgo: 5_000 }],
    2,
  ],
  [
    'a pod that was never ready is left out for good',
    [{ uses: 400 }, { uses: 5000, isReady: false, startedMsAgo: 900_000, changedMsAgo: 899_000 }],
    1,
  ],
  [
    'a pod that was ready before counts with its load',
    [{ uses: 1000 }, { uses: 1000, isReady: false, startedMsAgo: 900_000, changedMsAgo: 60_000 }],
    4,
  ],
] as const) {
  test(`utilization: ${name}`, () => {
    const { pods, metrics } = podsOf(sketches);
    const running = sketches.filter((one) => !('isDeleting' in one)).length;
    const inputs = inputsOf(pods, { currentReplicas: running });
    assert.equal(utilizationReplicas(metrics, cpu, inputs).replicas, expected);
  });
}

test('utilization is shown in percent of requests with the average usage', () => {
  const { pods, metrics } = podsOf([{ uses: 300 }, { uses: 505 }]);
  const proposal = utilizationReplicas(metrics, cpu, inputsOf(pods));
  assert.deepEqual(proposal, { replicas: 2, usage: 402, utilization: 40 });
});

test('what cannot be computed says why', () => {
  const { pods, metrics } = podsOf([{ uses: 1 }]);
  const bare = pods.map((pod) => ({ ...pod, spec: { containers: [{ name: 'c' }] } }));
  assert.throws(() => utilizationReplicas(metrics, cpu, inputsOf(bare)), {
    message: 'missing request for cpu in container c of Pod p0',
  });
  assert.throws(() => utilizationReplicas(metrics, cpu, inputsOf([])), {
    message: 'no pods returned by selector while calculating replica count',
  });
  assert.throws(() => averageReplicas(new Map(), { target: 1, resource: '' }, inputsOf(pods)), {
    message: 'did not receive metrics for targeted pods (pods might be unready)',
  });
});

test('averages, values and shared values', () => {
  const { pods, metrics } = podsOf([{ uses: 3000 }, { uses: 5000 }]);
  const average = averageReplicas(metrics, { target: 2000, resource: '' }, inputsOf(pods));
  assert.deepEqual(average, { replicas: 4, usage: 4000 });
  assert.deepEqual(valueReplicas(30_000, 10_000, inputsOf(pods)), { replicas: 6, usage: 30_000 });
  assert.deepEqual(valueReplicas(10_500, 10_000, inputsOf(pods)), { replicas: 2, usage: 10_500 });
  const none = inputsOf(pods, { currentReplicas: 0 });
  assert.equal(valueReplicas(25_000, 10_000, none).replicas, 3);
  assert.deepEqual(sharedReplicas(9_000, 2_000, inputsOf(pods)), { replicas: 5, usage: 4_500 });
});

test('tolerances of both directions are their own', () => {
  const { pods, metrics } = podsOf([{ uses: 540 }, { uses: 540 }]);
  const tight = inputsOf(pods, { tolerances: { up: 0, down: 0.1 } });
  assert.equal(utilizationReplicas(metrics, cpu, tight).replicas, 3);
});
