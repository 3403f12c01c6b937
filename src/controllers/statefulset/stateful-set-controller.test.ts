import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
  StatefulSetSpec,
} from '#schema/types.ts';
import { createHarness, playKubelets, setPodReady } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startStatefulSetController } from './stateful-set-controller.ts';

const labels = { app: 'db' };

function template(image: string): StatefulSetSpec['template'] {
  return { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } };
}

function statefulSet(spec: Partial<StatefulSetSpec> = {}): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'shop', uid: 'set-uid', generation: 1 },
    spec: {
      replicas: 3,
      serviceName: 'dbs',
      selector: { matchLabels: labels },
      template: template('v1'),
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      ...spec,
    },
  };
}

function start(spec: Partial<StatefulSetSpec> = {}): Harness {
  return createHarness([startStatefulSetController], { objects: [statefulSet(spec)] });
}

const live = (harness: Harness): StatefulSet =>
  harness.client.stored<StatefulSet>(resources.statefulSets, 'shop/db') as StatefulSet;
const podsOf = (harness: Harness): Pod[] =>
  harness.client
    .all<Pod>(resources.pods)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
const names = (harness: Harness): string[] => podsOf(harness).map(({ metadata }) => metadata.name);
const images = (harness: Harness): string[] =>
  podsOf(harness).map(
    ({ metadata, spec }) => `${metadata.name} ${spec?.containers[0]?.image ?? ''}`,
  );
const claimsOf = (harness: Harness): PersistentVolumeClaim[] =>
  harness.client.all<PersistentVolumeClaim>(resources.persistentVolumeClaims);
const revisionsOf = (harness: Harness): ControllerRevision[] =>
  harness.client
    .all<ControllerRevision>(resources.controllerRevisions)
    .toSorted((a, b) => a.revision - b.revision);

function change(harness: Harness, spec: Partial<StatefulSetSpec>): void {
  harness.client.modify<StatefulSet>(resources.statefulSets, 'shop/db', (set) => ({
    ...set,
    metadata: { ...set.metadata, generation: (set.metadata.generation ?? 0) + 1 },
    spec: { ...set.spec!, ...spec },
  }));
}

async function settle(
  harness: Harness,
  isReady: (pod: Pod) => boolean = () => true,
  rounds = 14,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await harness.run(50);
    playKubelets(harness, isReady);
  }
  await harness.run(50);
}

test('pods come one after the other, each when those before it are ready', async () => {
  const harness = start();
  const seen: string[][] = [];
  for (let round = 0; round < 4; round++) {
    await harness.run(100);
    seen.push(names(harness));
    playKubelets(harness);
  }
  await harness.run(100);
  assert.deepEqual(seen, [
    ['db-0'],
    ['db-0', 'db-1'],
    ['db-0', 'db-1', 'db-2'],
    ['db-0', 'db-1', 'db-2'],
  ]);
  const [revision] = revisionsOf(harness);
  assert.match(revision?.metadata.name ?? '', /^db-[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.deepEqual(revision?.data, {
    spec: { template: { ...template('v1'), $patch: 'replace' } },
  });
  const [pod] = podsOf(harness);
  assert.deepEqual(pod?.metadata.labels, {
    ...labels,
    'statefulset.kubernetes.io/pod-name': 'db-0',
    'apps.kubernetes.io/pod-index': '0',
    'controller-revision-hash': revision?.metadata.name,
  });
  assert.deepEqual([pod?.spec?.hostname, pod?.spec?.subdomain], ['db-0', 'dbs']);
  const revisionName = revision?.metadata.name;
  assert.deepEqual(live(harness).status, {
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: revisionName,
    updateRevision: revisionName,
    collisionCount: 0,
  });
  assert.deepEqual(harness.events(), [
    'SuccessfulCreate: create Pod db-0 in StatefulSet db successful',
    'SuccessfulCreate: create Pod db-1 in StatefulSet db successful',
    'SuccessfulCreate: create Pod db-2 in StatefulSet db successful',
  ]);
  await harness.stop();
});

test('with Parallel all pods come and go at once, numbered from the start ordinal', async () => {
  const harness = start({ podManagementPolicy: 'Parallel', ordinals: { start: 5 } });
  await harness.run(100);
  assert.deepEqual(names(harness), ['db-5', 'db-6', 'db-7']);
  change(harness, { replicas: 1 });
  await harness.run(100);
  assert.deepEqual(names(harness), ['db-5']);
  await harness.stop();
});

test('scaling down takes the last pod first and waits for each to be gone', async () => {
  const harness = start();
  await settle(harness);
  for (const name of names(harness)) {
    harness.client.modify<Pod>(resources.pods, `shop/${name}`, (pod) => ({
      ...pod,
      spec: { ...pod.spec!, nodeName: 'n1' },
    }));
  }
  change(harness, { replicas: 1 });
  const leaving = (): string[] =>
    podsOf(harness)
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map(({ metadata }) => metadata.name);
  await harness.run(100);
  assert.deepEqual(leaving(), ['db-2']);
  playKubelets(harness);
  await harness.run(100);
  assert.deepEqual(leaving(), ['db-1']);
  playKubelets(harness);
  await harness.run(100);
  assert.deepEqual(names(harness), ['db-0']);
  await harness.stop();
});

test('an update replaces pods from the last to the partition, and history is kept', async () => {
  const harness = start({
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
  });
  await settle(harness);
  change(harness, { template: template('v2') });
  await settle(harness);
  assert.deepEqual(images(harness), ['db-0 v1', 'db-1 v2', 'db-2 v2']);
  const { status } = live(harness);
  const [old, next] = revisionsOf(harness);
  assert.deepEqual(
    [status?.currentRevision, status?.updateRevision, status?.currentReplicas],
    [old?.metadata.name, next?.metadata.name, 1],
  );
  assert.equal(status?.updatedReplicas, 2);
  // A pod below the partition comes back as it was.
  harness.client.remove(resources.pods, 'shop/db-0');
  await settle(harness);
  assert.deepEqual(images(harness)[0], 'db-0 v1');
  change(harness, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } });
  await settle(harness);
  assert.deepEqual(images(harness), ['db-0 v2', 'db-1 v2', 'db-2 v2']);
  assert.equal(live(harness).status?.currentRevision, next?.metadata.name);
  // Going back takes the old revision again, as the newest.
  change(harness, { template: template('v1') });
  await settle(harness);
  assert.deepEqual(images(harness), ['db-0 v1', 'db-1 v1', 'db-2 v1']);
  assert.deepEqual(
    revisionsOf(harness).map(({ metadata, revision }) => [metadata.name, revision]),
    [
      [next?.metadata.name, 2],
      [old?.metadata.name, 3],
    ],
  );
  await harness.stop();
});

test('an update waits for a pod that does not become ready', async () => {
  const harness = start();
  await settle(harness);
  change(harness, { template: template('broken') });
  await settle(harness, (pod) => pod.spec?.containers[0]?.image !== 'broken');
  assert.deepEqual(images(harness), ['db-0 v1', 'db-1 v1', 'db-2 broken']);
  await harness.stop();
});

test('maxUnavailable pods are replaced at a time', async () => {
  const harness = start({
    replicas: 5,
    podManagementPolicy: 'Parallel',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 2 } },
  });
  await settle(harness);
  change(harness, { template: template('v2') });
  await settle(harness, () => false, 3);
  assert.deepEqual(images(harness), ['db-0 v1', 'db-1 v1', 'db-2 v1', 'db-3 v2', 'db-4 v2']);
  await settle(harness);
  assert.deepEqual(
    images(harness).filter((line) => line.endsWith('v1')),
    [],
  );
  await harness.stop();
});

test('with Parallel pods of a broken revision are replaced all the same, one at a time', async () => {
  const harness = start({ podManagementPolicy: 'Parallel', template: template('broken') });
  const isWell = (pod: Pod): boolean => pod.spec?.containers[0]?.image !== 'broken';
  await settle(harness, isWell, 3);
  change(harness, { template: template('v2') });
  await settle(harness, () => false, 4);
  assert.deepEqual(images(harness), ['db-0 broken', 'db-1 broken', 'db-2 v2']);
  await settle(harness, isWell);
  assert.deepEqual(images(harness), ['db-0 v2', 'db-1 v2', 'db-2 v2']);
  await harness.stop();
});

test('with Parallel what is broken anyway takes nothing of maxUnavailable', async () => {
  const harness = start({
    replicas: 4,
    podManagementPolicy: 'Parallel',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
  });
  await settle(harness, ({ metadata }) => metadata.name !== 'db-1' && metadata.name !== 'db-2', 3);
  change(harness, { template: template('v2') });
  await settle(harness, () => false, 3);
  assert.deepEqual(images(harness), ['db-0 v1', 'db-1 v2', 'db-2 v2', 'db-3 v1']);
  await settle(harness);
  assert.deepEqual(images(harness), ['db-0 v2', 'db-1 v2', 'db-2 v2', 'db-3 v2']);
  await harness.stop();
});

test('with OnDelete only pods that somebody deletes are updated', async () => {
  const harness = start({ updateStrategy: { type: 'OnDelete' } });
  await settle(harness);
  change(harness, { template: template('v2') });
  await settle(harness);
  assert.deepEqual(images(harness), ['db-0 v1', 'db-1 v1', 'db-2 v1']);
  harness.client.remove(resources.pods, 'shop/db-1');
  await settle(harness);
  assert.deepEqual(images(harness), ['db-0 v1', 'db-1 v2', 'db-2 v1']);
  await harness.stop();
});

test('failed and succeeded pods are made anew under their name', async () => {
  const harness = start();
  await settle(harness);
  for (const [name, phase] of [
    ['db-1', 'Failed'],
    ['db-2', 'Succeeded'],
  ] as const) {
    const uid = harness.client.stored<Pod>(resources.pods, `shop/${name}`)?.metadata.uid;
    harness.client.modify<Pod>(resources.pods, `shop/${name}`, (pod) => ({
      ...pod,
      status: { phase },
    }));
    await settle(harness);
    const next = harness.client.stored<Pod>(resources.pods, `shop/${name}`);
    assert.equal(next?.status?.phase, 'Running');
    assert.notEqual(next?.metadata.uid, uid);
  }
  await harness.stop();
});

test('minReadySeconds holds the next pod back', async () => {
  const harness = start({ replicas: 2, minReadySeconds: 30 });
  await harness.run(100);
  setPodReady(harness.client, 'shop/db-0', true, harness.clock.now());
  await harness.run(20_000);
  assert.deepEqual(names(harness), ['db-0']);
  assert.deepEqual(
    [live(harness).status?.readyReplicas, live(harness).status?.availableReplicas],
    [1, 0],
  );
  await harness.run(12_000);
  assert.deepEqual(names(harness), ['db-0', 'db-1']);
  await harness.stop();
});

test('a pod that was ready before is waited for no longer than is left', async () => {
  const harness = start({ replicas: 2 });
  await harness.run(100);
  setPodReady(harness.client, 'shop/db-0', true, harness.clock.now() - 20_000);
  change(harness, { minReadySeconds: 30 });
  await harness.run(100);
  assert.deepEqual(names(harness), ['db-0']);
  await harness.run(11_000);
  assert.deepEqual(names(harness), ['db-0', 'db-1']);
  await harness.stop();
});

const claimTemplate: PersistentVolumeClaim = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'] },
};

test('each pod gets its claims, which stay when it goes', async () => {
  const harness = start({ replicas: 2, volumeClaimTemplates: [claimTemplate] });
  await settle(harness);
  assert.deepEqual(
    claimsOf(harness).map(({ metadata }) => [
      metadata.name,
      metadata.labels,
      metadata.ownerReferences,
    ]),
    [
      ['data-db-0', labels, undefined],
      ['data-db-1', labels, undefined],
    ],
  );
  assert.deepEqual(podsOf(harness)[1]?.spec?.volumes, [
    { name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } },
  ]);
  assert.ok(
    harness
      .events()
      .includes('SuccessfulCreate: create Claim data-db-1 Pod db-1 in StatefulSet db success'),
  );
  change(harness, { replicas: 1 });
  await settle(harness);
  assert.equal(claimsOf(harness).length, 2);
  await harness.stop();
});

for (const [whenDeleted, whenScaled, kept, scaled] of [
  ['Delete', 'Retain', 'StatefulSet', 'StatefulSet'],
  ['Retain', 'Delete', undefined, 'Pod'],
  ['Delete', 'Delete', 'StatefulSet', 'Pod'],
  ['Retain', 'Retain', undefined, undefined],
] as const) {
  test(`claims of ${whenDeleted}/${whenScaled} are owned as their end demands`, async () => {
    const harness = start({
      replicas: 2,
      volumeClaimTemplates: [claimTemplate],
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
    });
    await settle(harness);
    harness.client.modify<Pod>(resources.pods, 'shop/db-1', (pod) => ({
      ...pod,
      spec: { ...pod.spec!, nodeName: 'n1' },
    }));
    change(harness, { replicas: 1 });
    await harness.run(100);
    const owners = claimsOf(harness).map(
      ({ metadata }) => metadata.ownerReferences?.map(({ kind }) => kind)[0],
    );
    assert.deepEqual(owners, [kept, scaled]);
    await harness.stop();
  });
}

test('pods without a controller are adopted, others let go', async () => {
  const harness = start({ replicas: 1 });
  harness.client.add({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db-0', namespace: 'shop', labels },
    status: { phase: 'Running' },
  } as Pod);
  await harness.run(100);
  const adopted = podsOf(harness)[0];
  assert.equal(adopted?.metadata.ownerReferences?.[0]?.uid, 'set-uid');
  assert.deepEqual(names(harness), ['db-0']);
  harness.client.modify<Pod>(resources.pods, 'shop/db-0', (pod) => ({
    ...pod,
    metadata: { ...pod.metadata, labels: { app: 'other' } },
  }));
  await harness.run(100);
  assert.deepEqual(podsOf(harness)[0]?.metadata.ownerReferences, []);
  await harness.stop();
});

test('old revisions beyond the limit are removed', async () => {
  const harness = start({ replicas: 1, revisionHistoryLimit: 1 });
  for (const image of ['v2', 'v3', 'v4']) {
    await settle(harness);
    change(harness, { template: template(image) });
  }
  await settle(harness);
  assert.deepEqual(
    revisionsOf(harness).map(({ revision }) => revision),
    [3, 4],
  );
  await harness.stop();
});

test('a failed creation is told and retried', async () => {
  const harness = start({ replicas: 1 });
  const remove = harness.client.intercept(({ verb, resource }) =>
    verb === 'create' && resource === 'pods' ? new Error('no quota') : undefined,
  );
  await harness.run(10);
  const text = 'FailedCreate: create Pod db-0 in StatefulSet db failed error: no quota';
  assert.ok(
    harness.events().some((line) => line.startsWith(text)),
    harness.events().join('\n'),
  );
  remove();
  await harness.run(2000);
  assert.deepEqual(names(harness), ['db-0']);
  await harness.stop();
});

test('a claim that cannot be made is told of the pod as well', async () => {
  const harness = start({
    replicas: 1,
    volumeClaimTemplates: [{ metadata: { name: 'data' } }, { metadata: { name: 'logs' } }],
  });
  harness.client.intercept(({ verb, resource }) =>
    verb === 'create' && resource === 'persistentvolumeclaims' ? new Error('no quota') : undefined,
  );
  await harness.run(1);
  const told = harness.events().map((line) => line.replace(/ \(x\d+\)$/, ''));
  assert.deepEqual(told.slice(0, 3), [
    'FailedCreate: create Claim data-db-0 Pod db-0 in StatefulSet db failed error: no quota',
    'FailedCreate: create Claim logs-db-0 Pod db-0 in StatefulSet db failed error: no quota',
    'FailedCreate: create Pod db-0 in StatefulSet db failed error: [failed to create PVC data-db-0: no quota, failed to create PVC logs-db-0: no quota]',
  ]);
  await harness.stop();
});
