import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
  Pod,
  StorageClass,
} from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startPersistentVolumeBinder } from './mod.ts';

function volume(name: string, spec: PersistentVolumeSpec = {}): PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      ...spec,
    },
  };
}

function claim(
  spec: PersistentVolumeClaimSpec = {},
  annotations: Record<string, string> = {},
): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop', uid: 'claim-uid', annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: '',
      ...spec,
    },
    status: { phase: 'Pending' },
  };
}

function storageClass(name: string, mode: string, isDefault = false): StorageClass {
  const annotations = { 'storageclass.kubernetes.io/is-default-class': String(isDefault) };
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name, annotations },
    provisioner: 'example.com/disk',
    volumeBindingMode: mode,
  };
}

const start = (...objects: KubeObject[]): Harness =>
  createHarness([startPersistentVolumeBinder], { objects });
const claimOf = (harness: Harness): PersistentVolumeClaim =>
  harness.client.stored<PersistentVolumeClaim>(
    resources.persistentVolumeClaims,
    'shop/data',
  ) as PersistentVolumeClaim;
const volumeOf = (harness: Harness, name: string): PersistentVolume =>
  harness.client.stored<PersistentVolume>(resources.persistentVolumes, name) as PersistentVolume;
const lastEvent = (harness: Harness): string | undefined =>
  harness
    .events()
    .at(-1)
    ?.replace(/ \(x\d+\)$/, '');

test('a claim gets the smallest volume that suits, and both say so', async () => {
  const harness = start(
    volume('large', { capacity: { storage: '10Gi' } }),
    volume('small', { capacity: { storage: '500Mi' } }),
    volume('right', { capacity: { storage: '2Gi' } }),
    volume('read-only', { accessModes: ['ReadOnlyMany'] }),
    claim(),
  );
  await harness.run(1000);
  const bound = claimOf(harness);
  assert.equal(bound.spec?.volumeName, 'right');
  assert.deepEqual(bound.status, {
    phase: 'Bound',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '2Gi' },
  });
  assert.deepEqual(bound.metadata.annotations, {
    'pv.kubernetes.io/bound-by-controller': 'yes',
    'pv.kubernetes.io/bind-completed': 'yes',
  });
  const right = volumeOf(harness, 'right');
  assert.equal(right.spec?.claimRef?.uid, 'claim-uid');
  assert.equal(right.status?.phase, 'Bound');
  assert.equal(right.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes');
  assert.equal(volumeOf(harness, 'large').status?.phase, 'Available');
  await harness.stop();
});

test('a volume that is reserved by name is bound without being marked as ours', async () => {
  const claimRef = { namespace: 'shop', name: 'data' };
  const harness = start(volume('free'), volume('reserved', { claimRef }), claim());
  await harness.run(1000);
  assert.equal(claimOf(harness).spec?.volumeName, 'reserved');
  assert.equal(volumeOf(harness, 'reserved').metadata.annotations, undefined);
  await harness.stop();
});

test('a claim leaves volumes that can do more to others, however large its own is', async () => {
  const harness = start(
    volume('able', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }),
    volume('plain', { capacity: { storage: '5Gi' } }),
    claim(),
  );
  await harness.run(1000);
  assert.equal(claimOf(harness).spec?.volumeName, 'plain');
  await harness.stop();
});

test('a volume that is reserved for a claim is taken whatever its class and labels are', async () => {
  const claimRef = { namespace: 'shop', name: 'data' };
  const selector = { matchLabels: { disk: 'fast' } };
  const reserved = volume('reserved', { claimRef, storageClassName: 'other' });
  const harness = start(reserved, claim({ selector }));
  await harness.run(1000);
  assert.equal(claimOf(harness).spec?.volumeName, 'reserved');
  await harness.stop();
});

test('a claim that names a volume gets it, whatever it would select', async () => {
  const selector = { matchLabels: { disk: 'fast' } };
  const harness = start(volume('named'), claim({ volumeName: 'named', selector }));
  await harness.run(1000);
  assert.equal(claimOf(harness).status?.phase, 'Bound');
  await harness.stop();
});

for (const [what, wanted, target, event, phase] of [
  [
    'is too small',
    { volumeName: 'v' },
    { capacity: { storage: '1Mi' } },
    'VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small',
    'Pending',
  ],
  [
    'is too small and of another class',
    { volumeName: 'v' },
    { capacity: { storage: '1Mi' }, storageClassName: 'other' },
    'VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small',
    'Pending',
  ],
  [
    'has other attributes',
    { volumeName: 'v', volumeAttributesClassName: 'gold' },
    {},
    'VolumeMismatch: Cannot bind to requested volume "v": volumeAttributesClassName does not match',
    'Pending',
  ],
  [
    'is somebody else’s',
    { volumeName: 'v' },
    { claimRef: { namespace: 'shop', name: 'x', uid: 'y' } },
    'FailedBinding: volume "v" already bound to a different claim.',
    'Pending',
  ],
  ['is not there', { volumeName: 'w' }, {}, undefined, 'Pending'],
] as const) {
  test(`a claim that names a volume that ${what} waits`, async () => {
    const harness = start(volume('v', { ...target }), claim(wanted));
    const other: PersistentVolumeClaim = {
      ...claim({ volumeName: 'v' }),
      metadata: { name: 'x', namespace: 'shop', uid: 'y' },
    };
    harness.client.add(other);
    await harness.run(1000);
    assert.equal(claimOf(harness).status?.phase, phase);
    if (event !== undefined)
      assert.ok(
        harness.events().some((line) => line.startsWith(event)),
        harness.events().join('\n'),
      );
    await harness.stop();
  });
}

test('without class and volume the claim waits, and is bound when a volume comes', async () => {
  const harness = start(claim());
  await harness.run(1000);
  assert.equal(
    lastEvent(harness),
    'FailedBinding: no persistent volumes available for this claim and no storage class is set',
  );
  harness.client.add(volume('late'));
  await harness.run(1000);
  assert.equal(claimOf(harness).status?.phase, 'Bound');
  await harness.stop();
});

test('a claim of a class names the provisioner and takes the volume that is made for it', async () => {
  const harness = start(storageClass('fast', 'Immediate'), claim({ storageClassName: 'fast' }));
  await harness.run(1000);
  assert.equal(
    claimOf(harness).metadata.annotations?.['volume.kubernetes.io/storage-provisioner'],
    'example.com/disk',
  );
  assert.match(
    lastEvent(harness) ?? '',
    /^ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'example.com\/disk'/,
  );
  const made = volume('pvc-claim-uid', {
    storageClassName: 'fast',
    persistentVolumeReclaimPolicy: 'Delete',
    claimRef: { namespace: 'shop', name: 'data', uid: 'claim-uid' },
  });
  made.metadata.annotations = { 'pv.kubernetes.io/provisioned-by': 'example.com/disk' };
  harness.client.add(made);
  await harness.run(1000);
  assert.equal(claimOf(harness).spec?.volumeName, 'pvc-claim-uid');
  assert.equal(claimOf(harness).status?.phase, 'Bound');
  harness.client.remove(resources.persistentVolumeClaims, 'shop/data');
  await harness.run(1000);
  assert.equal(volumeOf(harness, 'pvc-claim-uid').status?.phase, 'Released');
  await harness.stop();
});

test('with WaitForFirstConsumer nothing happens before the scheduler has chosen a node', async () => {
  const harness = start(
    storageClass('late', 'WaitForFirstConsumer'),
    volume('v', { storageClassName: 'late' }),
    claim({ storageClassName: 'late' }),
  );
  await harness.run(1000);
  assert.equal(claimOf(harness).spec?.volumeName, undefined);
  assert.equal(
    lastEvent(harness),
    'WaitForFirstConsumer: waiting for first consumer to be created before binding',
  );
  harness.client.add({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'shop' },
    spec: {
      containers: [],
      volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }],
    },
  } as Pod);
  await harness.run(1000);
  assert.equal(lastEvent(harness), 'WaitForPodScheduled: waiting for pod p to be scheduled');
  harness.client.remove(resources.persistentVolumes, 'v');
  harness.client.modify<PersistentVolumeClaim>(
    resources.persistentVolumeClaims,
    'shop/data',
    (live) => ({
      ...live,
      metadata: {
        ...live.metadata,
        annotations: { 'volume.kubernetes.io/selected-node': 'n1' },
      },
    }),
  );
  await harness.run(1000);
  assert.equal(
    claimOf(harness).metadata.annotations?.['volume.kubernetes.io/storage-provisioner'],
    'example.com/disk',
  );
  await harness.stop();
});

test('a claim without any class gets the default one when there is one', async () => {
  const harness = start(claim({ storageClassName: undefined }));
  await harness.run(1000);
  harness.client.add(storageClass('usual', 'Immediate', true));
  await harness.run(1000);
  assert.equal(claimOf(harness).spec?.storageClassName, 'usual');
  await harness.stop();
});

test('a bound claim whose volume is gone is lost', async () => {
  const harness = start(volume('v'), claim());
  await harness.run(1000);
  harness.client.remove(resources.persistentVolumes, 'v');
  await harness.run(1000);
  assert.equal(claimOf(harness).status?.phase, 'Lost');
  assert.equal(
    lastEvent(harness),
    'ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!',
  );
  await harness.stop();
});

for (const [policy, phase] of [
  ['Retain', 'Released'],
  ['Delete', 'Failed'],
  ['Recycle', 'Failed'],
] as const) {
  test(`a volume of policy ${policy} that nobody provisioned is ${phase} without its claim`, async () => {
    const harness = start(volume('v', { persistentVolumeReclaimPolicy: policy }), claim());
    await harness.run(1000);
    harness.client.remove(resources.persistentVolumeClaims, 'shop/data');
    await harness.run(1000);
    assert.equal(volumeOf(harness, 'v').status?.phase, phase);
    assert.ok(volumeOf(harness, 'v').status?.lastPhaseTransitionTime !== undefined);
    await harness.stop();
  });
}

test('a volume of another mode that names a claim tells both', async () => {
  const claimRef = { namespace: 'shop', name: 'data', uid: 'claim-uid' };
  const harness = start(volume('raw', { claimRef, volumeMode: 'Block' }), claim());
  await harness.run(1000);
  const told = harness.events().map((line) => line.replace(/ \(x\d+\)$/, ''));
  for (const text of [
    'VolumeMismatch: Cannot bind PersistentVolume to requested PersistentVolumeClaim "data" due to incompatible volumeMode.',
    'VolumeMismatch: Cannot bind PersistentVolume "raw" to requested PersistentVolumeClaim "data" due to incompatible volumeMode.',
  ]) {
    assert.ok(told.includes(text), told.join('\n'));
  }
  assert.equal(claimOf(harness).status?.phase, 'Pending');
  await harness.stop();
});
