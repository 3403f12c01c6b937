import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMicroTime, formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Lease, Node, Pod, Taint } from '#schema/types.ts';
import { podCondition } from '../pods/pod-state.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { nodeCondition } from './node-taints.ts';
import { startNodeLifecycleController } from './node-lifecycle-controller.ts';
import { startTaintEviction } from './taint-eviction.ts';

const ready = (status: string) => ({
  type: 'Ready',
  status,
  reason: 'KubeletReady',
  lastHeartbeatTime: '2026-01-01T00:00:00Z',
});

function node(name: string, more: Partial<Node> = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec: {},
    status: { conditions: [ready('True')] },
    ...more,
  };
}

function pod(name: string, nodeName: string, tolerationSeconds?: number): Pod {
  const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: {
      containers: [],
      nodeName,
      tolerations: keys.map((key) => ({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
      })),
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

function start(...objects: (Node | Pod)[]): Harness {
  const options = { nodeMonitorGraceMs: 40_000 };
  return createHarness([startNodeLifecycleController, startTaintEviction], { objects, options });
}

function renew(harness: Harness, name: string): void {
  const { client, clock } = harness;
  const spec = { holderIdentity: name, renewTime: formatMicroTime(clock.now()) };
  const key = `kube-node-lease/${name}`;
  if (client.stored(resources.leases, key) === undefined) {
    const metadata = { name, namespace: 'kube-node-lease' };
    client.add({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec } as Lease);
  } else client.modify<Lease>(resources.leases, key, (lease) => ({ ...lease, spec }));
}

/** Lets time pass while these nodes renew their leases. */
async function live(harness: Harness, ms: number, ...names: string[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    for (const name of names) renew(harness, name);
    await harness.run(10_000);
  }
}

const nodeOf = (harness: Harness, name: string): Node =>
  harness.client.stored<Node>(resources.nodes, name)!;
const taintsOf = (harness: Harness, name: string): string[] =>
  (nodeOf(harness, name).spec?.taints ?? []).map(({ key, effect }: Taint) => `${key}:${effect}`);

test('a node that renews its lease stays ready, however old its status', async () => {
  const harness = start(node('n1'));
  await live(harness, 300_000, 'n1');
  assert.equal(nodeCondition(nodeOf(harness, 'n1'), 'Ready')?.status, 'True');
  assert.deepEqual(taintsOf(harness, 'n1'), []);
  assert.deepEqual(harness.events(), [
    'RegisteredNode: Node n1 event: Registered Node n1 in Controller',
  ]);
  await harness.stop();
});

test('a silent node becomes Unknown, its pods not ready, and after their time they go', async () => {
  const harness = start(node('n1'), node('n2'), pod('web', 'n2', 300), pod('stays', 'n1', 300));
  const { client } = harness;
  await live(harness, 30_000, 'n1', 'n2');
  await live(harness, 30_000, 'n1');
  assert.equal(nodeCondition(nodeOf(harness, 'n2'), 'Ready')?.status, 'True');
  await live(harness, 20_000, 'n1');
  const silent = nodeCondition(nodeOf(harness, 'n2'), 'Ready');
  assert.deepEqual(
    [silent?.status, silent?.reason, silent?.message],
    ['Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'],
  );
  const memory = nodeCondition(nodeOf(harness, 'n2'), 'MemoryPressure');
  assert.equal(memory?.message, 'Kubelet never posted node status.');
  assert.deepEqual(taintsOf(harness, 'n2'), [
    'node.kubernetes.io/unreachable:NoSchedule',
    'node.kubernetes.io/unreachable:NoExecute',
  ]);
  const web = client.stored<Pod>(resources.pods, 'shop/web');
  assert.equal(podCondition(web!, 'Ready')?.status, 'False');
  await live(harness, 250_000, 'n1');
  assert.equal(
    client.stored<Pod>(resources.pods, 'shop/web')?.metadata.deletionTimestamp,
    undefined,
  );
  await live(harness, 60_000, 'n1');
  const leaving = client.stored<Pod>(resources.pods, 'shop/web')!;
  assert.ok(leaving.metadata.deletionTimestamp !== undefined);
  const disruption = podCondition(leaving, 'DisruptionTarget');
  assert.deepEqual(
    [disruption?.reason, disruption?.message],
    ['DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'],
  );
  assert.equal(
    client.stored<Pod>(resources.pods, 'shop/stays')?.metadata.deletionTimestamp,
    undefined,
  );
  assert.ok(harness.events().includes('NodeNotReady: Node n2 status is now: NodeNotReady'));
  assert.ok(harness.events().includes('TaintManagerEviction: Marking for deletion Pod shop/web'));
  await harness.stop();
});

test('how long a node that never was ready may take is set apart, as is when nodes are looked at', async () => {
  const options = {
    nodeMonitorGraceMs: 40_000,
    nodeStartupGraceMs: 100_000,
    nodeMonitorMs: 30_000,
  };
  const objects = [node('new', { status: {} }), node('old')];
  const harness = createHarness([startNodeLifecycleController], { objects, options });
  const statuses = (): unknown[] =>
    ['new', 'old'].map((name) => nodeCondition(nodeOf(harness, name), 'Ready')?.status);
  await harness.run(55_000);
  assert.deepEqual(statuses(), [undefined, 'True'], 'not looked at since 30 s');
  await harness.run(10_000);
  assert.deepEqual(statuses(), [undefined, 'Unknown']);
  await harness.run(60_000);
  assert.deepEqual(statuses(), ['Unknown', 'Unknown']);
  await harness.stop();
});

test('a kubelet that says its node is not ready speaks for its pods itself', async () => {
  const harness = start(node('n1'), node('n2'), pod('p1', 'n1'));
  await live(harness, 10_000, 'n1', 'n2');
  harness.client.modify<Node>(resources.nodes, 'n1', (one) => ({
    ...one,
    status: { conditions: [ready('False')] },
  }));
  await live(harness, 20_000, 'n1', 'n2');
  assert.ok(taintsOf(harness, 'n1').includes('node.kubernetes.io/not-ready:NoSchedule'));
  const one = harness.client.stored<Pod>(resources.pods, 'shop/p1') as Pod;
  assert.equal(podCondition(one, 'Ready')?.status, 'True');
  await harness.stop();
});

test('a node that comes back loses its taints and keeps its pods', async () => {
  const harness = start(node('n1'), node('n2'), pod('web', 'n2', 300));
  await live(harness, 30_000, 'n1', 'n2');
  await live(harness, 100_000, 'n1');
  assert.equal(taintsOf(harness, 'n2').length, 2);
  renew(harness, 'n2');
  harness.client.modify<Node>(resources.nodes, 'n2', (object) => ({
    ...object,
    status: {
      conditions: [{ ...ready('True'), lastHeartbeatTime: formatTime(harness.clock.now()) }],
    },
  }));
  await live(harness, 400_000, 'n1', 'n2');
  assert.deepEqual(taintsOf(harness, 'n2'), []);
  const web = harness.client.stored<Pod>(resources.pods, 'shop/web');
  assert.equal(web?.metadata.deletionTimestamp, undefined);
  const text = 'TaintManagerEviction: Cancelling deletion of Pod shop/web';
  assert.ok(harness.events().includes(text));
  await harness.stop();
});

test('when no node is heard of, nobody is sent away', async () => {
  const harness = start(node('n1'), node('n2'), pod('web', 'n2', 0));
  await live(harness, 20_000, 'n1', 'n2');
  await harness.run(200_000);
  assert.equal(nodeCondition(nodeOf(harness, 'n1'), 'Ready')?.status, 'Unknown');
  for (const name of ['n1', 'n2']) {
    assert.deepEqual(taintsOf(harness, name), ['node.kubernetes.io/unreachable:NoSchedule']);
  }
  const web = harness.client.stored<Pod>(resources.pods, 'shop/web');
  assert.equal(web?.metadata.deletionTimestamp, undefined);
  await harness.stop();
});

test('conditions and cordoning make NoSchedule taints, and other taints stay', async () => {
  const harness = start(
    node('n1', {
      spec: { unschedulable: true, taints: [{ key: 'own', effect: 'NoExecute' }] },
      status: { conditions: [ready('True'), { type: 'DiskPressure', status: 'True' }] },
    }),
    node('n2', {
      spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
    }),
  );
  await live(harness, 10_000, 'n1', 'n2');
  assert.deepEqual(taintsOf(harness, 'n1'), [
    'own:NoExecute',
    'node.kubernetes.io/disk-pressure:NoSchedule',
    'node.kubernetes.io/unschedulable:NoSchedule',
  ]);
  assert.deepEqual(taintsOf(harness, 'n2'), []);
  harness.client.modify<Node>(resources.nodes, 'n1', (object) => ({
    ...object,
    spec: { taints: object.spec!.taints! },
  }));
  await harness.run();
  assert.equal(
    taintsOf(harness, 'n1').includes('node.kubernetes.io/unschedulable:NoSchedule'),
    false,
  );
  await harness.stop();
});

test('a pod that tolerates a NoExecute taint for ever stays, one that does not goes at once', async () => {
  const harness = start(
    node('n1', {
      spec: { taints: [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] },
      status: { conditions: [ready('Unknown')] },
    }),
    node('n2'),
    pod('forever', 'n1'),
    { ...pod('gone', 'n1'), spec: { containers: [], nodeName: 'n1' } },
  );
  await live(harness, 10_000, 'n2');
  const isLeaving = (name: string): boolean =>
    harness.client.stored<Pod>(resources.pods, `shop/${name}`)?.metadata.deletionTimestamp !==
    undefined;
  assert.deepEqual([isLeaving('forever'), isLeaving('gone')], [false, true]);
  await harness.stop();
});
