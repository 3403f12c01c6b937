import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { PersistentVolumeClaim, Pod } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import { startEphemeralVolumeController } from './ephemeral-volume-controller.ts';

const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'shop', uid: 'pod-uid' },
  spec: {
    containers: [],
    volumes: [
      {
        name: 'scratch',
        ephemeral: { volumeClaimTemplate: { metadata: { name: '', labels: { a: 'b' } }, spec } },
      },
    ],
  },
};

test('the claim has the template of the volume, the name of pod and volume, and its owner', async () => {
  const harness = createHarness([startEphemeralVolumeController], { objects: [pod] });
  const claim = () =>
    harness.client.stored<PersistentVolumeClaim>(
      resources.persistentVolumeClaims,
      'shop/p-scratch',
    );
  await harness.run(100);
  assert.deepEqual(claim()?.spec, spec);
  assert.deepEqual(claim()?.metadata.labels, { a: 'b' });
  const [owner] = claim()?.metadata.ownerReferences ?? [];
  assert.deepEqual(
    [owner?.kind, owner?.uid, owner?.controller, owner?.blockOwnerDeletion],
    ['Pod', 'pod-uid', true, true],
  );
  harness.client.remove(resources.persistentVolumeClaims, 'shop/p-scratch');
  await harness.run(100);
  assert.ok(claim() !== undefined, 'made anew while the pod is there');
  await harness.stop();
});

test('a claim of somebody else is not taken, and the pod is told', async () => {
  const foreign: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'p-scratch', namespace: 'shop' },
  };
  const harness = createHarness([startEphemeralVolumeController], { objects: [pod, foreign] });
  await harness.run(1);
  const text =
    'FailedBinding: ephemeral volume: PVC shop/p-scratch was not created for pod shop/p (pod is not owner)';
  assert.ok(
    harness.events().some((line) => line.startsWith(text)),
    harness.events().join(),
  );
  await harness.stop();
});
