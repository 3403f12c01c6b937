import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import { catalog } from '#schema/mod.ts';
import type { APIService, ConfigMap, Namespace, Pod, ServiceAccount } from '#schema/types.ts';
import { startRootCaPublisher } from '../root-ca-publisher/mod.ts';
import { startServiceAccountController } from '../serviceaccount/mod.ts';
import { createHarness } from '../testing/harness.ts';
import { startNamespaceController } from './namespace-controller.ts';

const namespace: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop' },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
};
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { containers: [], nodeName: 'n1' },
  status: { phase: 'Running' },
};
const configMap = (name: string, finalizers?: string[]): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', ...(finalizers === undefined ? {} : { finalizers }) },
});

function start(...objects: KubeObject[]) {
  const controllers = [
    startNamespaceController,
    startServiceAccountController,
    startRootCaPublisher,
  ];
  const options = { resources: () => catalog.all };
  return createHarness(controllers, { objects: [namespace, ...objects], options });
}

test('an active namespace gets its account and its authority, and again when they are deleted', async () => {
  const harness = start();
  await harness.run(100);
  const { client } = harness;
  const account = (): ServiceAccount | undefined =>
    client.stored(resources.serviceAccounts, 'shop/default');
  const authority = (): ConfigMap | undefined =>
    client.stored(resources.configMaps, 'shop/kube-root-ca.crt');
  assert.ok(account() !== undefined);
  assert.deepEqual(authority()?.data, { 'ca.crt': '-----BEGIN CERTIFICATE-----' });
  client.remove(resources.serviceAccounts, 'shop/default');
  client.modify<ConfigMap>(resources.configMaps, 'shop/kube-root-ca.crt', (object) => ({
    ...object,
    data: {},
  }));
  await harness.run(100);
  assert.ok(account() !== undefined);
  assert.deepEqual(Object.keys(authority()?.data ?? {}), ['ca.crt']);
  await harness.stop();
});

test('a deleted namespace loses its pods first, then the rest, then itself', async () => {
  const harness = start(pod, configMap('settings'));
  await harness.run(100);
  const { client } = harness;
  await client.delete(resources.namespaces, 'shop');
  await harness.run(100);
  const live = client.stored<Namespace>(resources.namespaces, 'shop');
  assert.equal(live?.status?.phase, 'Terminating');
  const condition = live?.status?.conditions?.find(
    ({ type }) => type === 'NamespaceContentRemaining',
  );
  assert.deepEqual(
    [condition?.status, condition?.reason, condition?.message],
    ['True', 'SomeResourcesRemain', 'Some resources are remaining: pods. has 1 resource instances'],
  );
  assert.ok(client.stored(resources.configMaps, 'shop/settings') !== undefined);
  client.remove(resources.pods, 'shop/web');
  await harness.run(100);
  assert.equal(client.stored(resources.namespaces, 'shop'), undefined);
  assert.deepEqual(client.all(resources.configMaps), []);
  assert.deepEqual(client.all(resources.serviceAccounts), []);
  await harness.stop();
});

test('content with a finalizer holds the namespace, and says so', async () => {
  const harness = start(configMap('kept', ['example.com/keep']));
  await harness.run(100);
  const { client } = harness;
  await client.delete(resources.namespaces, 'shop');
  await harness.run(3000);
  const conditions = client.stored<Namespace>(resources.namespaces, 'shop')?.status?.conditions;
  assert.deepEqual(
    conditions?.map(({ type, status }) => [type, status]),
    [
      ['NamespaceDeletionDiscoveryFailure', 'False'],
      ['NamespaceDeletionGroupVersionParsingFailure', 'False'],
      ['NamespaceDeletionContentFailure', 'False'],
      ['NamespaceContentRemaining', 'True'],
      ['NamespaceFinalizersRemaining', 'True'],
    ],
  );
  assert.equal(
    conditions?.[4]?.message,
    'Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances',
  );
  const body = { metadata: { finalizers: null } };
  const options = { namespace: 'shop' };
  await client.patch(resources.configMaps, 'kept', { type: 'merge', body }, options);
  await harness.run(3000);
  assert.equal(client.stored(resources.namespaces, 'shop'), undefined);
  await harness.stop();
});

test('a resource that cannot be deleted is named, and tried again', async () => {
  const harness = start(configMap('settings'));
  await harness.run(100);
  const { client } = harness;
  let isBroken = true;
  client.intercept((action) =>
    isBroken && action.verb === 'deletecollection' ? new Error('no quorum') : undefined,
  );
  await client.delete(resources.namespaces, 'shop');
  await harness.run(100);
  const failure = client
    .stored<Namespace>(resources.namespaces, 'shop')
    ?.status?.conditions?.find(({ type }) => type === 'NamespaceDeletionContentFailure');
  assert.equal(failure?.status, 'True');
  assert.match(
    failure?.message ?? '',
    /^Failed to delete all resource types, \d remaining: no quorum/,
  );
  isBroken = false;
  await harness.run(60_000);
  assert.equal(client.stored(resources.namespaces, 'shop'), undefined);
  await harness.stop();
});

test('a namespace stays while a group that somebody else serves does not answer', async () => {
  const broken: APIService = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.things.example.com' },
    spec: {
      group: 'things.example.com',
      version: 'v1',
      groupPriorityMinimum: 1,
      versionPriority: 1,
      service: { namespace: 'default', name: 'things' },
    },
    status: { conditions: [{ type: 'Available', status: 'False' }] },
  };
  const harness = start(broken, configMap('a'));
  await harness.run(100);
  await harness.client.delete(resources.namespaces, 'shop');
  await harness.run(1000);
  const live = (): Namespace | undefined => harness.client.stored(resources.namespaces, 'shop');
  const discovery = live()?.status?.conditions?.find(
    ({ type }) => type === 'NamespaceDeletionDiscoveryFailure',
  );
  assert.deepEqual(
    [discovery?.status, discovery?.reason, discovery?.message],
    [
      'True',
      'DiscoveryFailed',
      'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: things.example.com/v1: stale GroupVersion discovery: things.example.com/v1',
    ],
  );
  const names = harness.client.all(resources.configMaps).map(({ metadata }) => metadata.name);
  assert.ok(!names.includes('a'), 'what is known goes meanwhile');
  harness.client.modify<APIService>(resources.apiServices, 'v1.things.example.com', (object) => ({
    ...object,
    status: { conditions: [{ type: 'Available', status: 'True' }] },
  }));
  await harness.run(120_000);
  assert.equal(live(), undefined);
  await harness.stop();
});
