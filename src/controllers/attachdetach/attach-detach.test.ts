import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type {
  CSIDriver,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startAttachDetachController } from './mod.ts';

const uniqueName = 'kubernetes.io/csi/disk.test^handle-1';

function node(name: string, status: Node['status'] = {}): Node {
  const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, annotations }, status };
}

function pod(name: string, nodeName: string, namespace = 'shop'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: `${name}-uid` },
    spec: {
      nodeName,
      containers: [],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
    status: { phase: 'Running' },
  };
}

const volume = (accessModes = ['ReadWriteOnce']): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'pv' },
  spec: { accessModes, csi: { driver: 'disk.test', volumeHandle: 'handle-1' } },
});
const claim: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'shop' },
  spec: { volumeName: 'pv' },
  status: { phase: 'Bound' },
};

const start = (...objects: KubeObject[]): Harness =>
  createHarness([startAttachDetachController], { objects });
const attachments = (harness: Harness): VolumeAttachment[] =>
  harness.client.all<VolumeAttachment>(resources.volumeAttachments);

/** Plays the driver's attacher. */
function answer(harness: Harness, status: VolumeAttachment['status']): void {
  for (const { metadata } of attachments(harness)) {
    harness.client.modify<VolumeAttachment>(resources.volumeAttachments, metadata.name, (one) => ({
      ...one,
      status,
    }));
  }
}

test('a pod on a node has its volume attached there, and is told', async () => {
  const harness = start(node('n1'), pod('web', 'n1'), volume(), claim);
  await harness.run();
  const [made] = attachments(harness);
  assert.match(made?.metadata.name ?? '', /^csi-[0-9a-f]{64}$/);
  assert.deepEqual(made?.spec, {
    attacher: 'disk.test',
    nodeName: 'n1',
    source: { persistentVolumeName: 'pv' },
  });
  answer(harness, { attached: true });
  await harness.run(10);
  const stored = harness.client.stored<Node>(resources.nodes, 'n1');
  assert.deepEqual(stored?.status?.volumesAttached, [{ name: uniqueName, devicePath: '' }]);
  assert.deepEqual(harness.events(), [
    'SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "pv" ',
  ]);
  await harness.stop();
});

test('what the attacher finds wrong is told to the pod', async () => {
  const harness = start(node('n1'), pod('web', 'n1'), volume(), claim);
  await harness.run();
  answer(harness, { attached: false, attachError: { message: 'no such disk', time: 't1' } });
  await harness.run(10);
  assert.deepEqual(harness.events(), [
    'FailedAttachVolume: AttachVolume.Attach failed for volume "pv" : no such disk',
  ]);
  await harness.stop();
});

test('drivers that do not attach, other sources, finished pods and foreign nodes get nothing', async () => {
  const driver: CSIDriver = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: 'disk.test' },
    spec: { attachRequired: false },
  };
  const local = { ...volume(), spec: { local: { path: '/x' } } };
  const finished = { ...pod('web', 'n1'), status: { phase: 'Succeeded' } };
  const unmanaged = { ...node('n1'), metadata: { name: 'n1' } };
  const cases: KubeObject[][] = [
    [node('n1'), pod('web', 'n1'), volume(), claim, driver],
    [node('n1'), pod('web', 'n1'), local, claim],
    [node('n1'), finished, volume(), claim],
    [unmanaged, pod('web', 'n1'), volume(), claim],
    [node('n1'), pod('web', 'n1'), volume(), { ...claim, status: { phase: 'Pending' } }],
  ];
  for (const objects of cases) {
    const harness = start(...objects);
    await harness.run();
    assert.deepEqual(attachments(harness), []);
    await harness.stop();
  }
});

test('a volume is detached when its pod is gone and the node has unmounted it', async () => {
  const mounted = { volumesInUse: [uniqueName] };
  const harness = start(node('n1', mounted), pod('web', 'n1'), volume(), claim);
  await harness.run();
  answer(harness, { attached: true });
  harness.client.remove(resources.pods, 'shop/web');
  await harness.run(2_000);
  assert.equal(attachments(harness).length, 1);
  harness.client.modify<Node>(resources.nodes, 'n1', (one) => ({ ...one, status: {} }));
  await harness.run(2_000);
  assert.deepEqual(attachments(harness), []);
  await harness.stop();
});

test('volumes may be left to dead nodes for ever', async () => {
  const objects = [node('n1', { volumesInUse: [uniqueName] }), pod('web', 'n1'), volume(), claim];
  const options = { forcesDetach: false };
  const harness = createHarness([startAttachDetachController], { objects, options });
  await harness.run();
  harness.client.remove(resources.pods, 'shop/web');
  await harness.run(10 * 60_000);
  assert.equal(attachments(harness).length, 1);
  await harness.stop();
});

test('a dead node keeps its volume for six minutes, one out of service not at all', async () => {
  const mounted = { volumesInUse: [uniqueName] };
  const harness = start(node('n1', mounted), pod('web', 'n1'), volume(), claim);
  await harness.run();
  harness.client.remove(resources.pods, 'shop/web');
  await harness.run(5 * 60_000);
  assert.equal(attachments(harness).length, 1);
  await harness.run(62_000);
  assert.deepEqual(attachments(harness), []);
  await harness.stop();

  const taints = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }];
  const out = start(node('n1', mounted), pod('web', 'n1'), volume(), claim);
  await out.run();
  out.client.remove(resources.pods, 'shop/web');
  out.client.modify<Node>(resources.nodes, 'n1', (one) => ({ ...one, spec: { taints } }));
  await out.run(10);
  assert.deepEqual(attachments(out), []);
  await out.stop();
});

test('a volume for one node waits for the other node, and says who has it', async () => {
  const harness = start(node('n1'), node('n2'), pod('web', 'n1'), volume(), claim);
  await harness.run();
  await harness.client.create(resources.pods, pod('late', 'n2'), { namespace: 'shop' });
  await harness.run(3_000);
  assert.deepEqual(
    attachments(harness).map(({ spec }) => spec.nodeName),
    ['n1'],
  );
  assert.deepEqual(harness.events(), [
    'FailedAttachVolume: Multi-Attach error for volume "pv" Volume is already used by pod(s) web',
  ]);
  harness.client.remove(resources.pods, 'shop/web');
  await harness.run(2_000);
  assert.deepEqual(
    attachments(harness).map(({ spec }) => spec.nodeName),
    ['n2'],
  );
  await harness.stop();
});

test('a volume for many nodes is attached to all of them', async () => {
  const shared = volume(['ReadWriteMany']);
  const harness = start(node('n1'), node('n2'), pod('a', 'n1'), pod('b', 'n2'), shared, claim);
  await harness.run();
  assert.equal(attachments(harness).length, 2);
  await harness.stop();
});

test('an attachment of a volume that nobody knows is somebody else’s', async () => {
  const foreign: VolumeAttachment = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: 'foreign' },
    spec: { attacher: 'x', nodeName: 'n1', source: { persistentVolumeName: 'none' } },
  };
  const harness = start(node('n1'), foreign);
  await harness.run(10);
  assert.deepEqual(
    attachments(harness).map(({ metadata }) => metadata.name),
    ['foreign'],
  );
  await harness.stop();
});
