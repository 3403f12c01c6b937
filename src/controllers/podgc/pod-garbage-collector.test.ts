import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import { startPodGarbageCollector } from './pod-garbage-collector.ts';

const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } };

function pod(
  name: string,
  nodeName: string,
  phase = 'Running',
  createdAt = '2026-01-01T00:00:00Z',
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', creationTimestamp: createdAt },
    spec: { containers: [], nodeName },
    status: { phase },
  };
}

test('pods of a node that is gone are ended after a quarantine, others are not', async () => {
  const objects = [node, pod('here', 'n1'), pod('lost', 'n9')];
  const harness = createHarness([startPodGarbageCollector], { objects });
  const names = (): string[] =>
    harness.client.all<Pod>(resources.pods).map(({ metadata }) => metadata.name);
  await harness.run(39_000);
  assert.deepEqual(names(), ['here', 'lost']);
  await harness.run(30_000);
  assert.deepEqual(names(), ['here']);
  const status = harness.client.actions.find(({ subresource }) => subresource === 'status');
  assert.equal((status?.body as Pod | undefined)?.status?.phase, 'Failed');
  await harness.stop();
});

test('the oldest finished pods beyond the threshold are removed', async () => {
  const objects = [
    node,
    pod('running', 'n1'),
    ...[3, 1, 2, 4].map((day) =>
      pod(`done-${day}`, 'n1', 'Succeeded', `2026-01-0${day}T00:00:00Z`),
    ),
  ];
  const options = { terminatedPodThreshold: 2 };
  const harness = createHarness([startPodGarbageCollector], { objects, options });
  await harness.run(100);
  assert.deepEqual(
    harness.client.all<Pod>(resources.pods).map(({ metadata }) => metadata.name),
    ['done-3', 'done-4', 'running'],
  );
  await harness.stop();
});

for (const [taints, ready, isEnded] of [
  [[{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }], 'Unknown', true],
  [[{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }], 'True', false],
  [[], 'Unknown', false],
] as const) {
  const name = taints.length > 0 ? 'out of service' : 'silent';
  test(`pods that are being deleted on a ${name} node (Ready ${ready}) ${isEnded ? 'go' : 'stay'}`, async () => {
    const off: Node = {
      ...node,
      spec: { taints: [...taints] },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    };
    const going = pod('going', 'n1');
    going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    const objects = [off, going, pod('staying', 'n1')];
    const harness = createHarness([startPodGarbageCollector], { objects });
    await harness.run(100);
    assert.deepEqual(
      harness.client.all<Pod>(resources.pods).map(({ metadata }) => metadata.name),
      isEnded ? ['staying'] : ['going', 'staying'],
    );
    await harness.stop();
  });
}

test('beyond the threshold evicted pods go before older ones', async () => {
  const evicted = pod('evicted', 'n1', 'Failed', '2026-01-09T00:00:00Z');
  evicted.status = { phase: 'Failed', reason: 'Evicted' };
  const objects = [node, pod('old', 'n1', 'Succeeded'), evicted];
  const options = { terminatedPodThreshold: 1 };
  const harness = createHarness([startPodGarbageCollector], { objects, options });
  await harness.run(100);
  const left = harness.client.all<Pod>(resources.pods).map(({ metadata }) => metadata.name);
  assert.deepEqual(left, ['old']);
  await harness.stop();
});

test('a pod that is being deleted before it has a node ends as Failed', async () => {
  const going = pod('going', '', 'Pending');
  going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  const harness = createHarness([startPodGarbageCollector], { objects: [node, going] });
  await harness.run(100);
  const [status] = harness.client.actions.filter(({ subresource }) => subresource === 'status');
  assert.equal((status?.body as Pod | undefined)?.status?.phase, 'Failed');
  assert.deepEqual(harness.client.all<Pod>(resources.pods), []);
  await harness.stop();
});
