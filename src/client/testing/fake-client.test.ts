import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasReason } from '#base/api-status-error.ts';
import { FakeClock } from '#base/fake-clock.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { Deployment, Namespace, Pod } from '#schema/types.ts';
import { resources } from '../resources.ts';
import { createFakeClient } from './fake-client.ts';

const pod = (name: string, more: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [] },
  ...more,
});

test('create makes uid, version and generated name, and drops a status that was sent', async () => {
  const client = createFakeClient();
  const made = await client.create<Pod>(
    resources.pods,
    pod('', { metadata: { name: '', generateName: 'web-' }, status: { phase: 'Running' } }),
    { namespace: 'default' },
  );
  assert.match(made.metadata.name, /^web-[a-z0-9]{5}$/);
  assert.equal(made.metadata.namespace, 'default');
  assert.ok(made.metadata.uid !== undefined && made.metadata.resourceVersion !== undefined);
  assert.deepEqual(made.status, { phase: 'Pending' });
});

test('refuses a second object of the same name, an absent one and an old version', async () => {
  const client = createFakeClient();
  const made = await client.create(resources.pods, pod('a'));
  await assert.rejects(client.create(resources.pods, pod('a')), (error) =>
    hasReason(error, 'AlreadyExists'),
  );
  await assert.rejects(client.get(resources.pods, 'b', { namespace: 'default' }), {
    message: 'pods "b" not found',
  });
  const changed = { ...made, metadata: { ...made.metadata, labels: { a: 'b' } } };
  await client.update(resources.pods, changed);
  await assert.rejects(client.update(resources.pods, changed), (error) =>
    hasReason(error, 'Conflict'),
  );
});

test('an update that changes nothing keeps the version and makes no event', async () => {
  const client = createFakeClient();
  const made = await client.create(resources.pods, pod('a'));
  const again = await client.update(resources.pods, structuredClone(made));
  assert.equal(again.metadata.resourceVersion, made.metadata.resourceVersion);
});

test('status and spec are changed apart, and only spec counts up the generation', async () => {
  const deployment: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'default' },
    spec: { selector: {}, template: {}, replicas: 1 },
  };
  const client = createFakeClient();
  const made = await client.create(resources.deployments, deployment);
  assert.equal(made.metadata.generation, 1);
  const withStatus = { ...made, status: { replicas: 3 } };
  const spec = { ...made.spec!, replicas: 2 };
  const first = await client.update<Deployment>(resources.deployments, { ...withStatus, spec });
  assert.deepEqual([first.status, first.metadata.generation], [undefined, 2]);
  const second = await client.update<Deployment>(
    resources.deployments,
    { ...first, status: { replicas: 3 }, spec: { ...spec, replicas: 9 } },
    { subresource: 'status' },
  );
  assert.deepEqual([second.status?.replicas, second.spec?.replicas], [3, 2]);
  const patch = { type: 'merge', body: { spec: { replicas: 5 } } } as const;
  const options = { namespace: 'default', subresource: 'scale' };
  await client.patch(resources.deployments, 'd', patch, options);
  assert.equal(client.stored<Deployment>(resources.deployments, 'default/d')?.spec?.replicas, 5);
});

test('finalizers keep an object until the last one is taken away', async () => {
  const client = createFakeClient();
  client.add(pod('a', { metadata: { name: 'a', namespace: 'default', finalizers: ['x'] } }));
  await client.delete(resources.pods, 'a', { namespace: 'default' });
  const kept = client.stored<Pod>(resources.pods, 'default/a');
  assert.ok(kept?.metadata.deletionTimestamp !== undefined);
  const body = { metadata: { finalizers: null } };
  await client.patch(resources.pods, 'a', { type: 'merge', body }, { namespace: 'default' });
  assert.equal(client.stored(resources.pods, 'default/a'), undefined);
});

test('a pod on a node ends gracefully, one without node at once', async () => {
  const client = createFakeClient();
  client.add(pod('on', { spec: { containers: [], nodeName: 'n' } }), pod('off'));
  await client.delete(resources.pods, 'off', { namespace: 'default' });
  await client.delete(resources.pods, 'on', { namespace: 'default' });
  assert.deepEqual(
    client.all<Pod>(resources.pods).map((item) => item.metadata.deletionGracePeriodSeconds),
    [30],
  );
  await client.delete(resources.pods, 'on', { namespace: 'default', gracePeriodSeconds: 0 });
  assert.deepEqual(client.all(resources.pods), []);
});

test('a namespace stays until it is finalized and takes no new content meanwhile', async () => {
  const client = createFakeClient();
  const space: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } };
  const made = await client.create<Namespace>(resources.namespaces, space);
  assert.deepEqual([made.spec?.finalizers, made.status?.phase], [['kubernetes'], 'Active']);
  await client.delete(resources.namespaces, 'default');
  await assert.rejects(client.create(resources.pods, pod('a')), /because it is being terminated/);
  const live = await client.get<Namespace>(resources.namespaces, 'default');
  assert.equal(live.status?.phase, 'Terminating');
  const finalized = { ...live, spec: { finalizers: [] } };
  await client.update(resources.namespaces, finalized, { subresource: 'finalize' });
  assert.deepEqual(client.all(resources.namespaces), []);
});

test('a watch resumes after a version, follows selectors and fails with 410 when too old', async () => {
  const client = createFakeClient({ clock: new FakeClock() });
  const web = { name: 'a', namespace: 'default', labels: { app: 'web' } };
  client.add(pod('a', { metadata: web }));
  const { metadata } = await client.list(resources.pods);
  client.add(pod('b'));
  client.modify<Pod>(resources.pods, 'default/a', (object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { app: 'db' } },
  }));
  const seen: string[] = [];
  const stop = new AbortController();
  const options = { resourceVersion: metadata.resourceVersion, signal: stop.signal };
  for await (const event of client.watch(resources.pods, {
    ...options,
    labelSelector: 'app=web',
  })) {
    seen.push(`${event.type} ${event.object.metadata.name}`);
    stop.abort();
  }
  assert.deepEqual(seen, ['DELETED a']);
  client.expireHistory();
  const old = client.watch(resources.pods, { resourceVersion: metadata.resourceVersion });
  await assert.rejects(async () => {
    for await (const event of old) assert.fail(event.type);
  }, /too old resource version/);
});

test('objects handed out cannot be changed', async () => {
  const client = createFakeClient();
  const made: KubeObject = await client.create(resources.pods, pod('a'));
  assert.throws(() => {
    made.metadata.labels = {};
  }, TypeError);
});

test('binding sets the node once', async () => {
  const client = createFakeClient();
  await client.create(resources.pods, pod('a'));
  const binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'a', namespace: 'default' },
    target: { kind: 'Node', name: 'n1' },
  };
  await client.create(resources.pods, binding, { name: 'a', subresource: 'binding' });
  assert.equal(client.stored<Pod>(resources.pods, 'default/a')?.spec?.nodeName, 'n1');
  await assert.rejects(
    client.create(resources.pods, binding, { name: 'a', subresource: 'binding' }),
    /is already assigned to node "n1"/,
  );
});

test('an interceptor makes writes fail and sees all of them', async () => {
  const client = createFakeClient();
  const remove = client.intercept((action) =>
    action.verb === 'create' ? new Error('no space') : undefined,
  );
  await assert.rejects(client.create(resources.pods, pod('a')), /no space/);
  remove();
  await client.create(resources.pods, pod('a'));
  assert.deepEqual(
    client.actions.map((action) => `${action.verb} ${action.resource} ${action.name}`),
    ['create pods a', 'create pods a'],
  );
});
