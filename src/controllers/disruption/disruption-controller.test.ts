import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetSpec } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startDisruptionController } from './disruption-controller.ts';

const labels = { app: 'web' };

function budget(spec: PodDisruptionBudgetSpec): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'shop', uid: 'pdb-uid', generation: 1 },
    spec: { selector: { matchLabels: labels }, ...spec },
  };
}

function pod(
  name: string,
  owner?: { kind: string; name: string; uid: string },
  isReady = true,
): Pod {
  const ownerReferences =
    owner === undefined ? [] : [{ apiVersion: 'apps/v1', controller: true, ...owner }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels, ownerReferences },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  };
}

function owner(
  kind: string,
  replicas: number,
  of?: { kind: string; name: string; uid: string },
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      name: kind.toLowerCase(),
      namespace: 'shop',
      uid: `${kind}-uid`,
      ownerReferences: of === undefined ? [] : [{ apiVersion: 'apps/v1', controller: true, ...of }],
    },
    spec: { replicas },
  } as KubeObject;
}

const set = { kind: 'ReplicaSet', name: 'replicaset', uid: 'ReplicaSet-uid' };
const deployment = { kind: 'Deployment', name: 'deployment', uid: 'Deployment-uid' };
const stateful = { kind: 'StatefulSet', name: 'statefulset', uid: 'StatefulSet-uid' };

const live = (harness: Harness): PodDisruptionBudget =>
  harness.client.stored<PodDisruptionBudget>(
    resources.podDisruptionBudgets,
    'shop/web',
  ) as PodDisruptionBudget;

for (const [what, spec, objects, expected] of [
  ['a number that must be there', { minAvailable: 1 }, [pod('a'), pod('b')], [2, 1, 2, 1]],
  [
    'a share of the controller',
    { minAvailable: '50%' },
    [owner('ReplicaSet', 5), pod('a', set), pod('b', set), pod('c', set)],
    [5, 3, 3, 0],
  ],
  [
    'a number that may be missing',
    { maxUnavailable: 1 },
    [owner('StatefulSet', 3), pod('a', stateful), pod('b', stateful), pod('c', stateful)],
    [3, 2, 3, 1],
  ],
  [
    'the size of the Deployment behind the set',
    { maxUnavailable: '30%' },
    [
      owner('Deployment', 4),
      owner('ReplicaSet', 3, deployment),
      pod('a', set),
      pod('b', set),
      pod('c', set),
      pod('d', set, false),
    ],
    [4, 2, 3, 1],
  ],
  ['no pods at all', { minAvailable: 0 }, [], [0, 0, 0, 0]],
] as const) {
  test(`counts ${what}`, async () => {
    const harness = createHarness([startDisruptionController], {
      objects: [budget(spec), ...objects],
    });
    await harness.run(100);
    const { status } = live(harness);
    assert.deepEqual(
      [
        status?.expectedPods,
        status?.desiredHealthy,
        status?.currentHealthy,
        status?.disruptionsAllowed,
      ],
      expected,
    );
    const [condition] = status?.conditions ?? [];
    assert.deepEqual(
      [condition?.type, condition?.status, condition?.reason, condition?.message],
      [
        'DisruptionAllowed',
        expected[3] > 0 ? 'True' : 'False',
        expected[3] > 0 ? 'SufficientPods' : 'InsufficientPods',
        '',
      ],
    );
    assert.equal(status?.observedGeneration, 1);
    await harness.stop();
  });
}

test('without a known controller nothing may be ended, and the condition says why', async () => {
  const harness = createHarness([startDisruptionController], {
    objects: [budget({ maxUnavailable: 1 }), pod('a', set)],
  });
  await harness.run(100);
  const { status } = live(harness);
  assert.equal(status?.disruptionsAllowed, 0);
  assert.deepEqual(
    [status?.conditions?.[0]?.reason, status?.conditions?.[0]?.message],
    ['SyncFailed', 'found no controllers for pod "a"'],
  );
  await harness.stop();
});

test('an evicted pod is not counted until it is gone or two minutes have passed', async () => {
  const harness = createHarness([startDisruptionController], {
    objects: [budget({ minAvailable: 1 }), pod('a'), pod('b')],
  });
  await harness.run(100);
  harness.client.modify<PodDisruptionBudget>(
    resources.podDisruptionBudgets,
    'shop/web',
    (object) => ({
      ...object,
      status: { ...object.status!, disruptedPods: { a: formatTime(harness.clock.now()) } },
    }),
  );
  await harness.run(100);
  assert.deepEqual(
    [live(harness).status?.currentHealthy, live(harness).status?.disruptionsAllowed],
    [1, 0],
  );
  await harness.run(125_000);
  assert.deepEqual(
    [live(harness).status?.disruptionsAllowed, live(harness).status?.disruptedPods],
    [1, undefined],
  );
  await harness.stop();
});

test('a note of an end that did not come is taken back after two minutes', async () => {
  const harness = createHarness([startDisruptionController]);
  const now = formatTime(harness.clock.now());
  const noted = pod('a');
  noted.status?.conditions?.push({
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    lastTransitionTime: now,
  });
  harness.client.add(noted);
  const condition = () =>
    harness.client
      .stored<Pod>(resources.pods, 'shop/a')
      ?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  await harness.run(110_000);
  assert.equal(condition()?.status, 'True');
  await harness.run(20_000);
  assert.deepEqual([condition()?.status, condition()?.reason], ['False', undefined]);
  await harness.stop();
});
