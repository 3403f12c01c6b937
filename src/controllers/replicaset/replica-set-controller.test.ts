import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Pod, ReplicaSet, ReplicationController } from '#schema/types.ts';
import { createHarness, playKubelets, setPodReady } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startReplicaSetController, startReplicationController } from './replica-set-controller.ts';

const labels = { app: 'web' };

function replicaSet(replicas: number, more: Partial<ReplicaSet['spec']> = {}): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'shop', uid: 'rs-uid', generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [] } },
      ...more,
    },
  };
}

function pod(name: string, more: Partial<Pod['metadata']> = {}, node = ''): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels, ...more },
    spec: { containers: [], ...(node === '' ? {} : { nodeName: node }) },
    status: { phase: 'Running' },
  };
}

const owned = (name: string, node = ''): Pod =>
  pod(name, { ownerReferences: [ownerReference] }, node);
const ownerReference = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'web',
  uid: 'rs-uid',
  controller: true,
  blockOwnerDeletion: true,
};
const podsOf = (harness: Harness): Pod[] => harness.client.all<Pod>(resources.pods);
const statusOf = (harness: Harness): ReplicaSet['status'] =>
  harness.client.stored<ReplicaSet>(resources.replicaSets, 'shop/web')?.status;

test('makes the missing pods from the template, as their controller', async () => {
  const harness = createHarness([startReplicaSetController], { objects: [replicaSet(3)] });
  await harness.run();
  const pods = podsOf(harness);
  assert.equal(pods.length, 3);
  for (const made of pods) {
    assert.match(made.metadata.name, /^web-[a-z0-9]{5}$/);
    assert.deepEqual(made.metadata.labels, labels);
    assert.deepEqual(made.metadata.ownerReferences, [ownerReference]);
  }
  assert.equal(statusOf(harness)?.replicas, 3);
  assert.equal(statusOf(harness)?.observedGeneration, 1);
  assert.deepEqual(harness.events().sort(), [
    ...pods.map((made) => `SuccessfulCreate: Created pod: ${made.metadata.name}`).sort(),
  ]);
  await harness.stop();
});

test('counts ready and available pods, and looks again when minReadySeconds are over', async () => {
  const set = replicaSet(2, { minReadySeconds: 10 });
  const harness = createHarness([startReplicaSetController], { objects: [set] });
  await harness.run();
  playKubelets(harness);
  await harness.run();
  assert.deepEqual(
    [statusOf(harness)?.readyReplicas, statusOf(harness)?.availableReplicas],
    [2, undefined],
  );
  await harness.run(11_000);
  assert.equal(statusOf(harness)?.availableReplicas, 2);
  await harness.stop();
});

test('looks again when the first of the pods has been ready for long enough', async () => {
  const set = replicaSet(1, { minReadySeconds: 60 });
  const harness = createHarness([startReplicaSetController], { objects: [set, owned('web-1')] });
  setPodReady(harness.client, 'shop/web-1', true, harness.clock.now() - 50_000);
  await harness.run();
  assert.equal(statusOf(harness)?.availableReplicas, undefined);
  await harness.run(11_000);
  assert.equal(statusOf(harness)?.availableReplicas, 1);
  await harness.stop();
});

test('replaces pods that finish or go away, and only once each', async () => {
  const harness = createHarness([startReplicaSetController], { objects: [replicaSet(2)] });
  await harness.run();
  const [first, second] = podsOf(harness);
  harness.client.modify<Pod>(resources.pods, `shop/${first?.metadata.name}`, (object) => ({
    ...object,
    status: { phase: 'Failed' },
  }));
  await harness.client.delete(resources.pods, second?.metadata.name ?? '', { namespace: 'shop' });
  await harness.run();
  assert.equal(podsOf(harness).length, 3);
  assert.equal(statusOf(harness)?.replicas, 2);
  await harness.stop();
});

test('deletes the pods that matter least: unassigned, then not ready, then cheap ones', async () => {
  const costly = 'controller.kubernetes.io/pod-deletion-cost';
  const objects = [
    replicaSet(5),
    owned('unassigned'),
    owned('not-ready', 'n1'),
    owned('cheap', 'n1'),
    owned('normal', 'n2'),
    owned('dear', 'n1'),
  ];
  const harness = createHarness([startReplicaSetController], { objects });
  const { client, clock } = harness;
  for (const name of ['cheap', 'normal', 'dear'])
    setPodReady(client, `shop/${name}`, true, clock.now());
  for (const [name, cost] of [
    ['cheap', '-5'],
    ['dear', '7'],
  ] as const) {
    client.modify<Pod>(resources.pods, `shop/${name}`, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { [costly]: cost } },
    }));
  }
  await harness.run();
  const order: string[] = [];
  for (let replicas = 4; replicas >= 1; replicas--) {
    const before = podsOf(harness).map((object) => object.metadata.name);
    client.modify<ReplicaSet>(resources.replicaSets, 'shop/web', (set) => ({
      ...set,
      spec: { ...set.spec!, replicas },
    }));
    await harness.run();
    playKubelets(harness);
    await harness.run();
    const after = new Set(podsOf(harness).map((object) => object.metadata.name));
    order.push(...before.filter((name) => !after.has(name)));
  }
  assert.deepEqual(order, ['unassigned', 'not-ready', 'cheap', 'normal']);
  await harness.stop();
});

test('adopts matching orphans and lets go of pods whose labels no longer match', async () => {
  const stranger = pod('stranger', {
    ownerReferences: [{ ...ownerReference, uid: 'other', name: 'other' }],
  });
  const objects = [replicaSet(2), pod('orphan', { uid: 'o1' }), owned('mine'), stranger];
  const harness = createHarness([startReplicaSetController], { objects });
  await harness.run();
  const orphan = harness.client.stored<Pod>(resources.pods, 'shop/orphan');
  assert.deepEqual(orphan?.metadata.ownerReferences, [ownerReference]);
  assert.equal(podsOf(harness).length, 3);
  harness.client.modify<Pod>(resources.pods, 'shop/mine', (object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { app: 'debug' } },
  }));
  await harness.run();
  const released = harness.client.stored<Pod>(resources.pods, 'shop/mine');
  assert.deepEqual(released?.metadata.ownerReferences, []);
  assert.equal(podsOf(harness).length, 4);
  await harness.stop();
});

test('a failure is tried once a sync, reported, and retried with back-off', async () => {
  const harness = createHarness([startReplicaSetController], { objects: [replicaSet(100)] });
  let isFull = true;
  harness.client.intercept((action) =>
    isFull && action.resource === 'pods' ? new Error('exceeded quota') : undefined,
  );
  await harness.run();
  const tries = harness.client.actions.filter((action) => action.resource === 'pods').length;
  // Once, and once more for the status that tells of it.
  assert.equal(tries, 2);
  const condition = statusOf(harness)?.conditions?.[0];
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.reason, condition?.message],
    ['ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota'],
  );
  assert.match(harness.events()[0] ?? '', /^FailedCreate: Error creating: exceeded quota/);
  isFull = false;
  await harness.run(1000);
  assert.equal(podsOf(harness).length, 100);
  assert.deepEqual(statusOf(harness)?.conditions ?? [], []);
  await harness.stop();
});

test('a stale informer does not lead to double pods', async () => {
  const harness = createHarness([startReplicaSetController], { objects: [replicaSet(3)] });
  const { client } = harness;
  // Watches stop before the pods arrive: the controller must wait for them, not make more.
  const remove = client.intercept((action) => {
    if (action.resource === 'pods') client.endWatches(new Error('cut'));
    return undefined;
  });
  await harness.run(500);
  remove();
  client.modify<ReplicaSet>(resources.replicaSets, 'shop/web', (set) => ({
    ...set,
    metadata: { ...set.metadata, labels: { touched: 'yes' } },
  }));
  await harness.run(60_000);
  assert.equal(podsOf(harness).length, 3);
  await harness.stop();
});

test('a set that is being deleted makes and adopts nothing', async () => {
  const set = replicaSet(2);
  const metadata = {
    ...set.metadata,
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['foregroundDeletion'],
  };
  const objects = [{ ...set, metadata }, pod('orphan')];
  const harness = createHarness([startReplicaSetController], { objects });
  await harness.run(1000);
  assert.equal(podsOf(harness).length, 1);
  assert.equal(podsOf(harness)[0]?.metadata.ownerReferences, undefined);
  await harness.stop();
});

test('a ReplicationController is told nothing that it has no field for', async () => {
  const template = { metadata: { labels }, spec: { containers: [] } };
  const controller: ReplicationController = {
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'web', namespace: 'shop', uid: 'rc-uid', generation: 1 },
    spec: { replicas: 1, selector: labels, template },
  };
  const harness = createHarness([startReplicationController], { objects: [controller] });
  await harness.run();
  const resource = resources.replicationControllers;
  const { status } = harness.client.stored<ReplicationController>(resource, 'shop/web') ?? {};
  assert.deepEqual(JSON.parse(JSON.stringify(status)), {
    replicas: 1,
    fullyLabeledReplicas: 1,
    observedGeneration: 1,
  });
  await harness.stop();
});
