import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type {
  Pod,
  ResourceClaimTemplate,
  ResourceV1ResourceClaim as ResourceClaim,
} from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { claimFinalizer, claimFor } from './claim-facts.ts';
import { startResourceClaimController } from './resource-claim-controller.ts';

const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] };
const template: ResourceClaimTemplate = {
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaimTemplate',
  metadata: { name: 'gpu', namespace: 'shop' },
  spec: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } }, spec: { devices } },
};

function pod(change: Partial<Pod> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'shop', uid: 'pod-uid' },
    spec: {
      containers: [],
      resourceClaims: [{ name: 'card', resourceClaimTemplateName: 'gpu' }],
    },
    status: { phase: 'Pending' },
    ...change,
  };
}

const claimsOf = (harness: Harness): ResourceClaim[] =>
  harness.client.all<ResourceClaim>(resources.resourceClaims);
const podOf = (harness: Harness): Pod | undefined =>
  harness.client.stored<Pod>(resources.pods, 'shop/p');

test('a claim is made of the template once, owned by the pod and named in its status', async () => {
  const harness = createHarness([startResourceClaimController], { objects: [pod(), template] });
  await harness.run(1000);
  const [claim, ...others] = claimsOf(harness);
  assert.equal(others.length, 0);
  assert.match(claim?.metadata.name ?? '', /^p-card-\w{5}$/);
  assert.deepEqual(claim?.spec.devices, devices);
  assert.deepEqual(claim?.metadata.labels, { a: 'b' });
  assert.deepEqual(claim?.metadata.annotations, {
    c: 'd',
    'resource.kubernetes.io/pod-claim-name': 'card',
  });
  const [owner] = claim?.metadata.ownerReferences ?? [];
  assert.deepEqual([owner?.kind, owner?.uid, owner?.controller], ['Pod', 'pod-uid', true]);
  assert.deepEqual(podOf(harness)?.status?.resourceClaimStatuses, [
    { name: 'card', resourceClaimName: claim?.metadata.name },
  ]);
  await harness.stop();
});

test('a template that is not there is told, and the claim made when it comes', async () => {
  const harness = createHarness([startResourceClaimController], { objects: [pod()] });
  await harness.run(10);
  const text =
    'FailedResourceClaimCreation: PodResourceClaim card: resource claim template "gpu": resourceclaimtemplate.resource.k8s.io "gpu" not found';
  assert.ok(harness.events()[0]?.startsWith(text), harness.events().join('\n'));
  harness.client.add(template);
  await harness.run(60_000);
  assert.equal(claimsOf(harness).length, 1);
  await harness.stop();
});

test('reservations of pods that are over go, and with the last one the devices', async () => {
  const reserved: ResourceClaim = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name: 'shared', namespace: 'shop', finalizers: [claimFinalizer] },
    spec: {},
    status: {
      allocation: {},
      reservedFor: [
        { resource: 'pods', name: 'p', uid: 'pod-uid' },
        { resource: 'pods', name: 'gone', uid: 'gone-uid' },
      ],
    },
  };
  const user = pod({ spec: { containers: [], nodeName: 'n1' }, status: { phase: 'Running' } });
  const harness = createHarness([startResourceClaimController], { objects: [user, reserved] });
  await harness.run(100);
  assert.deepEqual(
    claimsOf(harness)[0]?.status?.reservedFor?.map(({ name }) => name),
    ['p'],
  );
  assert.ok(claimsOf(harness)[0]?.status?.allocation !== undefined);
  harness.client.modify<Pod>(resources.pods, 'shop/p', (live) => ({
    ...live,
    spec: { ...live.spec!, resourceClaims: [{ name: 'c', resourceClaimName: 'shared' }] },
    status: { phase: 'Succeeded' },
  }));
  await harness.run(100);
  const [claim] = claimsOf(harness);
  assert.deepEqual([claim?.status?.reservedFor, claim?.status?.allocation], [undefined, undefined]);
  assert.deepEqual(claim?.metadata.finalizers, []);
  await harness.stop();
});

test('a claim that was made for a pod goes when the pod has ended', async () => {
  const ended = pod({ status: { phase: 'Succeeded' } });
  const made = claimFor(ended, { name: 'card' }, template);
  const { generateName: _base, ...metadata } = made.metadata;
  const named = { ...made, metadata: { ...metadata, name: 'p-card-abcde' } };
  const harness = createHarness([startResourceClaimController], {
    objects: [{ ...ended, spec: { containers: [] } } as Pod, named],
  });
  await harness.run(100);
  assert.deepEqual(claimsOf(harness), []);
  await harness.stop();
});

test('an allocated claim is reserved for a pod that has its node already', async () => {
  const claim: ResourceClaim = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name: 'mine', namespace: 'shop' },
    spec: {},
    status: { allocation: {} },
  };
  const resourceClaims = [{ name: 'c', resourceClaimName: 'mine' }];
  const placed = pod({ spec: { containers: [], nodeName: 'n1', resourceClaims } });
  const harness = createHarness([startResourceClaimController], { objects: [placed, claim] });
  await harness.run(100);
  assert.deepEqual(claimsOf(harness)[0]?.status?.reservedFor, [
    { resource: 'pods', name: 'p', uid: 'pod-uid' },
  ]);
  await harness.stop();
});

test('long names are cut so that something of both is left', () => {
  const long = { ...pod(), metadata: { name: 'p'.repeat(63), namespace: 'shop', uid: 'u' } };
  const { generateName = '' } = claimFor(long, { name: 'c'.repeat(63) }, template).metadata;
  assert.equal(generateName, `${'p'.repeat(28)}-${'c'.repeat(28)}`);
});
