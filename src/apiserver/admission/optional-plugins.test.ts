import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import { catalog } from '#schema/mod.ts';
import type { Namespace, Pod } from '#schema/types.ts';
import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { admit } from './fake-attributes.ts';
import type { FakeWrite } from './fake-attributes.ts';
import { createImagePolicyWebhook } from './image-policy.ts';
import { createNamespaceAutoProvision } from './namespace-auto-provision.ts';
import { createOptionalPlugins } from './optional-plugins.ts';
import { createOwnerReferencesPermissionEnforcement } from './owner-references.ts';
import { createPodNodeSelector } from './pod-node-selector.ts';

const pod = (spec: object = {}, container: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns' },
  spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec },
});

async function run(name: string, write: FakeWrite): Promise<void> {
  const plugins = createOptionalPlugins({ reader: new FakeObjectReader() });
  const plugin = plugins.find((one) => one.name === name);
  assert.ok(plugin);
  await admit(plugin, write);
}

describe('AlwaysPullImages', () => {
  test('makes containers and image volumes pull', async () => {
    const object = pod({ volumes: [{ name: 'v', image: { reference: 'r' } }] });
    await run('AlwaysPullImages', { resource: 'pods', object });
    assert.equal(object.spec?.containers[0]?.imagePullPolicy, 'Always');
    assert.equal(object.spec?.volumes?.[0]?.image?.pullPolicy, 'Always');
  });

  test('leaves updates alone that bring no new image', async () => {
    const object = pod({}, { imagePullPolicy: 'Never' });
    await run('AlwaysPullImages', { resource: 'pods', object, old: pod() });
    assert.equal(object.spec?.containers[0]?.imagePullPolicy, 'Never');
  });
});

test('ExtendedResourceToleration tolerates the taints of what a pod asks for', async () => {
  const object = pod({}, { resources: { requests: { 'acme.com/gpu': '1', cpu: '1' } } });
  await run('ExtendedResourceToleration', { resource: 'pods', object });
  assert.deepEqual(object.spec?.tolerations, [
    { key: 'acme.com/gpu', operator: 'Exists', effect: 'NoSchedule' },
  ]);
});

test('PodNodeSelector knows a default and the labels that a namespace may select', async () => {
  const reader = new FakeObjectReader();
  reader.put(resources.namespaces, { metadata: { name: 'ns' } });
  const nodeSelectors = { clusterDefaultNodeSelector: 'zone=a', ns: 'zone=a,disk=ssd' };
  const plugin = createPodNodeSelector({ reader, nodeSelectors });
  const object = pod({ nodeSelector: { disk: 'ssd' } });
  await admit(plugin, { resource: 'pods', object });
  assert.deepEqual(object.spec?.nodeSelector, { zone: 'a', disk: 'ssd' });
  const other = pod({ nodeSelector: { disk: 'tape' } });
  await assert.rejects(admit(plugin, { resource: 'pods', object: other }), {
    message:
      'pods "p" is forbidden: pod node label selector labels conflict with its namespace whitelist',
  });
});

test('NamespaceAutoProvision makes a namespace for the first object in it', async () => {
  const client = createFakeClient({ clock: new FakeClock(), random: seededRandom(1) });
  const plugin = createNamespaceAutoProvision({ reader: new FakeObjectReader(), client });
  await admit(plugin, { resource: 'pods', object: pod(), dryRun: true });
  assert.equal(client.all(resources.namespaces).length, 0);
  await admit(plugin, { resource: 'pods', object: pod() });
  await admit(plugin, { resource: 'pods', object: pod() });
  assert.deepEqual(
    client.all<Namespace>(resources.namespaces).map(({ metadata }) => metadata.name),
    ['ns'],
  );
});

describe('OwnerReferencesPermissionEnforcement', () => {
  const owned = (owner: object): Pod => {
    const object = pod();
    object.metadata.ownerReferences = [
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'u', ...owner },
    ];
    return object;
  };
  const write = (granted: string[], owner: object = {}) =>
    admit(
      createOwnerReferencesPermissionEnforcement({
        authorizer: {
          authorize: ({ resource }) =>
            Promise.resolve({
              decision: granted.includes(`${resource?.verb} ${resource?.resource}`)
                ? 'allow'
                : 'no-opinion',
              reason: '',
            }),
        },
        resources: () => catalog.all,
      }),
      { resource: 'pods', object: owned(owner) },
    );

  test('needs the right to delete, and to block the right to finalize the owner', async () => {
    await assert.rejects(write([]), {
      message:
        'pods "p" is forbidden: cannot set an ownerRef on a resource you can\'t delete: , <nil>',
    });
    await write(['delete pods']);
    await assert.rejects(write(['delete pods'], { blockOwnerDeletion: true }), {
      message:
        'pods "p" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can\'t set finalizers on: , <nil>',
    });
    await write(['delete pods', 'update replicasets'], { blockOwnerDeletion: true });
    await assert.rejects(write(['delete pods'], { blockOwnerDeletion: true, kind: 'Nothing' }), {
      message: /cannot find RESTMapping for APIVersion apps\/v1 Kind Nothing: no matches for kind/,
    });
  });
});

describe('ImagePolicyWebhook', () => {
  const asked: unknown[] = [];
  const pluginWith = (answer: () => unknown, isAllowedByDefault = false) =>
    createImagePolicyWebhook({
      clock: new FakeClock(),
      backend: {
        client: {
          async call(_config: unknown, body: unknown) {
            asked.push((body as { spec: unknown }).spec);
            return answer();
          },
        } as never,
        config: { url: 'https://images.example.com' },
        allowTtlMs: 1000,
        denyTtlMs: 1000,
        retryBackoffMs: 1,
        isAllowedByDefault,
      },
    });

  test('asks once for the same images and refuses with the reason of the backend', async () => {
    const plugin = pluginWith(() => ({ status: { allowed: false, reason: 'too old' } }));
    for (let round = 0; round < 2; round++) {
      const object = pod();
      object.metadata.annotations = { 'x.image-policy.k8s.io/ticket': '1', other: 'y' };
      await assert.rejects(admit(plugin, { resource: 'pods', object }), {
        message:
          'pods "p" is forbidden: image policy webhook backend denied one or more images: too old',
      });
    }
    assert.deepEqual(asked, [
      {
        containers: [{ image: 'i' }],
        annotations: { 'x.image-policy.k8s.io/ticket': '1' },
        namespace: 'ns',
      },
    ]);
  });

  test('lets pods in without an answer when the configuration says so', async () => {
    const failing = (): never => {
      throw Object.assign(new Error('no route'), { statusCode: 400 });
    };
    await assert.rejects(admit(pluginWith(failing), { resource: 'pods', object: pod() }), {
      message: 'pods "p" is forbidden: no route',
    });
    const object = pod();
    await admit(pluginWith(failing, true), { resource: 'pods', object });
    assert.equal(object.metadata.annotations?.['alpha.image-policy.k8s.io/failed-open'], 'true');
  });
});
