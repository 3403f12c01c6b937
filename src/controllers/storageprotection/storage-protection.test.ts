import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controllerReference, resources } from '#client/mod.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttributesClass,
} from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import { startAttributesClassProtection } from './attributes-class-protection.ts';
import { startClaimProtection } from './claim-protection.ts';
import { startVolumeProtection } from './volume-protection.ts';

const claim: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'shop' },
};

function pod(nodeName: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'shop' },
    spec: {
      nodeName,
      containers: [],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    },
    status: { phase: 'Running' },
  };
}

const ended: Pod = { ...pod('n1'), status: { phase: 'Succeeded' } };
const owning: Pod = {
  ...pod('n1'),
  metadata: { name: 'da', namespace: 'shop', uid: 'pod-uid', finalizers: ['example.com/keep'] },
  spec: { nodeName: 'n1', containers: [], volumes: [{ name: 'ta', ephemeral: {} }] },
};
const shutDown = (live: Pod): Pod => ({
  ...live,
  metadata: {
    ...live.metadata,
    deletionTimestamp: '2026-01-01T00:00:00Z',
    deletionGracePeriodSeconds: 0,
  },
});

for (const [what, user, end] of [
  ['until the pod is gone', pod('n1'), (): undefined => undefined],
  ['until a pod that has ended is gone', ended, (): undefined => undefined],
  ['until its own pod only waits for a finalizer', owning, shutDown],
  ['not for a pod without a node', pod(''), undefined],
] as const) {
  test(`a deleted claim stays ${what}`, async () => {
    const isOwn = user === owning;
    const name = isOwn ? 'da-ta' : 'data';
    const ownerReferences = isOwn ? [controllerReference(user)] : [];
    const used = { ...claim, metadata: { ...claim.metadata, name, ownerReferences } };
    const harness = createHarness([startClaimProtection], { objects: [used, user] });
    const { client } = harness;
    const live = () => client.stored(resources.persistentVolumeClaims, `shop/${name}`);
    await harness.run(100);
    assert.deepEqual(live()?.metadata.finalizers, ['kubernetes.io/pvc-protection']);
    await client.delete(resources.persistentVolumeClaims, name, { namespace: 'shop' });
    await harness.run(100);
    if (end !== undefined) {
      assert.ok(live()?.metadata.deletionTimestamp !== undefined);
      const next = end(user);
      const podKey = `shop/${user.metadata.name}`;
      if (next === undefined) client.remove(resources.pods, podKey);
      else client.modify<Pod>(resources.pods, podKey, () => next);
      await harness.run(100);
    }
    assert.equal(live(), undefined);
    await harness.stop();
  });
}

test('a deleted volume stays while a claim is bound to it', async () => {
  const volume: PersistentVolume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    status: { phase: 'Bound' },
  };
  const harness = createHarness([startVolumeProtection], { objects: [volume] });
  const live = () => harness.client.stored(resources.persistentVolumes, 'pv');
  await harness.run(100);
  await harness.client.delete(resources.persistentVolumes, 'pv');
  await harness.run(100);
  assert.ok(live()?.metadata.deletionTimestamp !== undefined);
  harness.client.modify<PersistentVolume>(resources.persistentVolumes, 'pv', (object) => ({
    ...object,
    status: { phase: 'Released' },
  }));
  await harness.run(100);
  assert.equal(live(), undefined);
  await harness.stop();
});

test('a deleted class of attributes stays until no claim and no volume has it', async () => {
  const gold: VolumeAttributesClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttributesClass',
    metadata: { name: 'gold' },
    driverName: 'disk.test',
  };
  const wanting = { ...claim, status: { currentVolumeAttributesClassName: 'gold' } };
  const having: PersistentVolume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec: { volumeAttributesClassName: 'gold' },
  };
  const objects = [gold, wanting, having];
  const harness = createHarness([startAttributesClassProtection], { objects });
  const { client } = harness;
  const live = () => client.stored(resources.volumeAttributesClasses, 'gold');
  await harness.run(100);
  assert.deepEqual(live()?.metadata.finalizers, ['kubernetes.io/vac-protection']);
  await client.delete(resources.volumeAttributesClasses, 'gold');
  await harness.run(100);
  assert.ok(live() !== undefined);
  client.remove(resources.persistentVolumeClaims, 'shop/data');
  await harness.run(100);
  assert.ok(live() !== undefined);
  client.remove(resources.persistentVolumes, 'pv');
  await harness.run(100);
  assert.equal(live(), undefined);
  await harness.stop();
});
