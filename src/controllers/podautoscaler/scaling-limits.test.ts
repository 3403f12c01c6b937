import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V2HorizontalPodAutoscalerBehavior as Behavior } from '#schema/types.ts';
import { createScaleHistory } from './scale-history.ts';
import { limitSize } from './scaling-limits.ts';

const minute = 60_000;

interface Case {
  name: string;
  current: number;
  wanted: number;
  behavior?: Behavior;
  /** Recommendations and changes before, by milliseconds ago. */
  recommended?: readonly [number, number][];
  scaled?: readonly [number, number][];
  expected: readonly [replicas: number, able: string, limited: string];
}

const upPods = (value: number, more: object = {}): Behavior => ({
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value, periodSeconds: 60 }],
    ...more,
  },
});
const downNow = (more: object = {}): Behavior => ({
  scaleDown: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }],
    ...more,
  },
});

const cases: readonly Case[] = [
  {
    name: 'within bounds',
    current: 3,
    wanted: 5,
    expected: [5, 'ReadyForNewScale', 'False DesiredWithinRange'],
  },
  {
    name: 'plain growth is at most doubling',
    current: 3,
    wanted: 9,
    expected: [6, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'plain growth of one goes to four',
    current: 1,
    wanted: 9,
    expected: [4, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'the maximum is the end',
    current: 8,
    wanted: 14,
    expected: [10, 'ReadyForNewScale', 'True TooManyReplicas'],
  },
  {
    name: 'the minimum is the end',
    current: 3,
    wanted: 1,
    expected: [2, 'ReadyForNewScale', 'True TooFewReplicas'],
  },
  {
    name: 'shrinking waits for five minutes of less',
    current: 6,
    wanted: 3,
    recommended: [
      [5, 4 * minute],
      [9, 6 * minute],
    ],
    expected: [5, 'ScaleDownStabilized', 'False DesiredWithinRange'],
  },
  {
    name: 'a policy of pods bounds growth',
    current: 3,
    wanted: 9,
    behavior: upPods(2),
    expected: [5, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'what was added in the period counts',
    current: 5,
    wanted: 9,
    behavior: upPods(2),
    scaled: [[2, 30_000]],
    expected: [5, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'what was added before the period does not count',
    current: 5,
    wanted: 9,
    behavior: upPods(2),
    scaled: [[2, 90_000]],
    expected: [7, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'the largest of several policies wins',
    current: 4,
    wanted: 10,
    behavior: upPods(1, {
      policies: [
        { type: 'Pods', value: 1, periodSeconds: 60 },
        { type: 'Percent', value: 50, periodSeconds: 60 },
      ],
    }),
    expected: [6, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'or the smallest when that is chosen',
    current: 4,
    wanted: 10,
    behavior: upPods(1, {
      selectPolicy: 'Min',
      policies: [
        { type: 'Pods', value: 1, periodSeconds: 60 },
        { type: 'Percent', value: 50, periodSeconds: 60 },
      ],
    }),
    expected: [5, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'growing may be turned off',
    current: 4,
    wanted: 10,
    behavior: upPods(1, { selectPolicy: 'Disabled' }),
    expected: [4, 'ReadyForNewScale', 'True ScaleUpLimit'],
  },
  {
    name: 'growing waits for the lowest of its window',
    current: 4,
    wanted: 8,
    behavior: upPods(10, { stabilizationWindowSeconds: 60 }),
    recommended: [[5, 30_000]],
    expected: [5, 'ScaleUpStabilized', 'False DesiredWithinRange'],
  },
  {
    name: 'less than there is, in the window for growing, is no reason to shrink',
    current: 5,
    wanted: 6,
    behavior: upPods(10, { stabilizationWindowSeconds: 60 }),
    recommended: [[3, 30_000]],
    expected: [5, 'ScaleUpStabilized', 'False DesiredWithinRange'],
  },
  {
    name: 'more than there is, in the window for shrinking, is no reason to grow',
    current: 5,
    wanted: 3,
    behavior: downNow({ stabilizationWindowSeconds: 60 }),
    recommended: [[8, 30_000]],
    expected: [5, 'ScaleDownStabilized', 'False DesiredWithinRange'],
  },
  {
    name: 'a policy bounds shrinking',
    current: 9,
    wanted: 3,
    behavior: downNow(),
    expected: [7, 'ReadyForNewScale', 'True ScaleDownLimit'],
  },
  {
    name: 'percents of shrinking are cut',
    current: 9,
    wanted: 3,
    behavior: downNow({ policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] }),
    expected: [8, 'ReadyForNewScale', 'True ScaleDownLimit'],
  },
  {
    name: 'shrinking may be turned off',
    current: 9,
    wanted: 3,
    behavior: downNow({ selectPolicy: 'Disabled' }),
    expected: [9, 'ReadyForNewScale', 'True ScaleDownLimit'],
  },
  {
    name: 'a behavior without a window for shrinking has five minutes',
    current: 6,
    wanted: 3,
    behavior: upPods(2),
    recommended: [[6, 4 * minute]],
    expected: [6, 'ScaleDownStabilized', 'False DesiredWithinRange'],
  },
];

test('size: the window for shrinking is that of the cluster where the autoscaler says none', () => {
  const nowMs = 100 * minute;
  const sizes = { current: 6, wanted: 3, min: 2, max: 10 };
  const sizeOf = (behavior: Behavior | undefined): number => {
    const history = createScaleHistory();
    history.recommend(6, 1e9, nowMs - 2 * minute);
    return limitSize(sizes, behavior, history, nowMs, 60).replicas;
  };
  assert.equal(sizeOf(undefined), 3);
  assert.equal(sizeOf(upPods(2)), 3);
  assert.equal(sizeOf({ scaleDown: { stabilizationWindowSeconds: 300 } }), 6);
});

for (const { name, current, wanted, behavior, recommended, scaled, expected } of cases) {
  test(`size: ${name}`, () => {
    const nowMs = 100 * minute;
    const history = createScaleHistory();
    for (const [value, ago] of recommended ?? []) history.recommend(value, 1e9, nowMs - ago);
    for (const [value, ago] of scaled ?? []) history.scaled(value, 1e9, nowMs - ago);
    const sizes = { current, wanted, min: 2, max: 10 };
    const found = limitSize(sizes, behavior, history, nowMs);
    const [isLimited, limit] = found.scalingLimited;
    const seen = [found.replicas, found.ableToScale[1], `${isLimited} ${limit}`];
    assert.deepEqual(seen, [...expected]);
  });
}
