import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import { catalog } from '#schema/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { ConfigMap, OwnerReference, Pod } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startGarbageCollector } from './garbage-collector.ts';

const options = { resources: () => catalog.all };

function configMap(name: string, owners: OwnerReference[] = []): ConfigMap {
  const ownerReferences = owners.length === 0 ? undefined : owners;
  const metadata = { name, namespace: 'shop', uid: `${name}-uid`, ownerReferences };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

function ownedBy(name: string, more: Partial<OwnerReference> = {}): OwnerReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: `${name}-uid`, ...more };
}

function pod(name: string, owner: OwnerReference): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: `${name}-uid`, ownerReferences: [owner] },
    spec: { containers: [], nodeName: 'n1' },
    status: { phase: 'Running' },
  };
}

const start = (...objects: KubeObject[]): Harness =>
  createHarness([startGarbageCollector], { objects, options });
const names = (harness: Harness): string[] =>
  [resources.configMaps, resources.pods].flatMap((resource) =>
    harness.client.all(resource).map(({ metadata }) => metadata.name),
  );
const remove = (harness: Harness, name: string, policy?: 'Orphan' | 'Foreground') =>
  harness.client.delete(resources.configMaps, name, {
    namespace: 'shop',
    propagationPolicy: policy,
  });

test('background: dependents follow their owner, down the whole chain', async () => {
  const harness = start(
    configMap('root'),
    configMap('child', [ownedBy('root')]),
    configMap('grandchild', [ownedBy('child')]),
    configMap('other'),
  );
  await harness.run(100);
  await remove(harness, 'root');
  await harness.run(100);
  assert.deepEqual(names(harness), ['other']);
  await harness.stop();
});

test('a dependent stays while one owner lives, without the reference to the gone one', async () => {
  const harness = start(
    configMap('a'),
    configMap('b'),
    configMap('child', [ownedBy('a'), ownedBy('b')]),
  );
  await harness.run(100);
  await remove(harness, 'a');
  await harness.run(100);
  const child = harness.client.stored<ConfigMap>(resources.configMaps, 'shop/child');
  assert.deepEqual(child?.metadata.ownerReferences, [ownedBy('b')]);
  await remove(harness, 'b');
  await harness.run(100);
  assert.deepEqual(names(harness), []);
  await harness.stop();
});

test('foreground: the owner stays until the dependents that block it are gone', async () => {
  const blocking = ownedBy('root', { blockOwnerDeletion: true });
  const harness = start(
    configMap('root'),
    pod('web', blocking),
    configMap('loose', [ownedBy('root')]),
  );
  await harness.run(100);
  await remove(harness, 'root', 'Foreground');
  await harness.run(100);
  assert.deepEqual(names(harness), ['loose', 'root', 'web']);
  const web = harness.client.stored<Pod>(resources.pods, 'shop/web');
  assert.ok(web?.metadata.deletionTimestamp !== undefined);
  harness.client.remove(resources.pods, 'shop/web');
  await harness.run(100);
  assert.deepEqual(names(harness), []);
  await harness.stop();
});

test('foreground goes down the chain: leaves are deleted first', async () => {
  const blockOwnerDeletion = true;
  const harness = start(
    configMap('root'),
    configMap('child', [ownedBy('root', { blockOwnerDeletion })]),
    pod('leaf', ownedBy('child', { blockOwnerDeletion })),
  );
  await harness.run(100);
  await remove(harness, 'root', 'Foreground');
  await harness.run(100);
  const child = harness.client.stored<ConfigMap>(resources.configMaps, 'shop/child');
  assert.deepEqual(child?.metadata.finalizers, ['foregroundDeletion']);
  harness.client.remove(resources.pods, 'shop/leaf');
  await harness.run(100);
  assert.deepEqual(names(harness), []);
  await harness.stop();
});

test('orphan: dependents lose the reference and stay', async () => {
  const harness = start(configMap('root'), configMap('child', [ownedBy('root')]));
  await harness.run(100);
  await remove(harness, 'root', 'Orphan');
  await harness.run(100);
  assert.deepEqual(names(harness), ['child']);
  const child = harness.client.stored<ConfigMap>(resources.configMaps, 'shop/child');
  assert.deepEqual(child?.metadata.ownerReferences, []);
  await harness.stop();
});

test('an owner that never was, or is another one now, does not keep an object', async () => {
  const harness = start(
    configMap('made-anew'),
    configMap('a', [ownedBy('never')]),
    configMap('b', [ownedBy('made-anew', { uid: 'older-uid' })]),
    configMap('c', [{ ...ownedBy('x'), apiVersion: 'example.com/v1', kind: 'Unknown' }]),
  );
  await harness.run(100);
  assert.deepEqual(names(harness), ['c', 'made-anew']);
  harness.client.add(configMap('late', [ownedBy('never')]));
  await harness.run(100);
  assert.deepEqual(names(harness), ['c', 'made-anew']);
  await harness.stop();
});

test('a deletion that was missed is found by the next list', async () => {
  const harness = start(configMap('root'), configMap('child', [ownedBy('root')]));
  await harness.run(100);
  const { client } = harness;
  client.endWatches(new Error('cut'));
  await harness.run();
  client.remove(resources.configMaps, 'shop/root');
  client.expireHistory();
  await harness.run(60_000);
  assert.deepEqual(names(harness), []);
  await harness.stop();
});

test('a dependent that got a new owner meanwhile is not deleted', async () => {
  const harness = start(configMap('a'), configMap('b'), configMap('child', [ownedBy('a')]));
  await harness.run(100);
  const { client } = harness;
  // The new owner arrives between the decision and the deletion.
  const stop = client.intercept((action) => {
    if (action.verb !== 'delete' || action.name !== 'child') return undefined;
    stop();
    client.modify<ConfigMap>(resources.configMaps, 'shop/child', (object) => ({
      ...object,
      metadata: { ...object.metadata, ownerReferences: [ownedBy('a'), ownedBy('b')] },
    }));
    return undefined;
  });
  await remove(harness, 'a');
  await harness.run(1000);
  assert.deepEqual(names(harness), ['b', 'child']);
  await harness.stop();
});

test('owners that are all there cost no request', async () => {
  const harness = start(configMap('root'), configMap('child', [ownedBy('root')]));
  let reads = 0;
  const get = harness.client.get.bind(harness.client);
  harness.client.get = (...args) => {
    reads += 1;
    return get(...args);
  };
  await harness.run(100_000);
  assert.deepEqual([reads, harness.client.actions.length], [0, 0]);
  await harness.stop();
});

test('foreground: a circle of owners that block each other goes as well', async () => {
  const blocking = (name: string): OwnerReference[] => [
    ownedBy(name, { blockOwnerDeletion: true, controller: true }),
  ];
  const harness = start(
    configMap('a', blocking('c')),
    configMap('b', blocking('a')),
    configMap('c', blocking('b')),
  );
  await harness.run(100);
  await remove(harness, 'a', 'Foreground');
  await harness.run(1000);
  assert.deepEqual(names(harness), []);
  await harness.stop();
});

test('an owner in another namespace is none: that is told, and the object goes', async () => {
  const foreign: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'root', namespace: 'elsewhere', uid: 'root-uid' },
  };
  const harness = start(foreign);
  await harness.run(100);
  harness.client.add(configMap('child', [ownedBy('root')]));
  await harness.run(100);
  assert.deepEqual(names(harness), ['root']);
  assert.deepEqual(harness.events(), [
    'OwnerRefInvalidNamespace: ownerRef [v1/ConfigMap, namespace: shop, name: root, uid: root-uid] does not exist in namespace "shop"',
  ]);
  await harness.stop();
});

for (const [finalizer, policy] of [
  ['orphan', 'Orphan'],
  ['foregroundDeletion', 'Foreground'],
  ['example.com/keep', 'Background'],
] as const) {
  test(`a dependent that has the finalizer ${finalizer} is deleted by ${policy}`, async () => {
    const child = configMap('child', [ownedBy('root')]);
    child.metadata.finalizers = [finalizer];
    const harness = start(configMap('root'), child);
    await harness.run(100);
    await remove(harness, 'root');
    await harness.run(100);
    const asked = harness.client.actions
      .filter(({ verb, name }) => verb === 'delete' && name === 'child')
      .map(({ body }) => (body as { propagationPolicy?: string }).propagationPolicy);
    assert.deepEqual(asked, [policy]);
    await harness.stop();
  });
}

test('dependents of a kind that is defined later are judged then', async () => {
  let all = catalog.all.filter(({ kind }) => kind !== 'Secret');
  let tell = (): void => undefined;
  const harness = createHarness([startGarbageCollector], {
    objects: [configMap('child', [{ ...ownedBy('gone'), kind: 'Secret' }])],
    options: {
      resources: () => all,
      onResourcesChange(listener) {
        tell = listener;
        return () => undefined;
      },
    },
  });
  await harness.run(1000);
  assert.deepEqual(names(harness), ['child']);
  all = [...catalog.all];
  tell();
  await harness.run(1000);
  assert.deepEqual(names(harness), []);
  await harness.stop();
});
