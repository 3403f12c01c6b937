/** @kubernetes/client-node, the client of most programs in TypeScript, against a server without agent. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from '@kubernetes/client-node';
import type { V1ConfigMap } from '@kubernetes/client-node';
import { systemClock } from '#base/clock.ts';
import { startTestApi, untilMs } from './server.ts';
import type { TestApi } from './server.ts';

let server: TestApi;
let config: KubeConfig;
let core: CoreV1Api;
const namespace = 'default';

before(async () => {
  server = await startTestApi();
  config = new KubeConfig();
  config.loadFromFile(server.kubeconfig);
  core = config.makeApiClient(CoreV1Api);
});
after(async () => await server.close());

const named = (name: string, data: Record<string, string> = {}): V1ConfigMap => ({
  metadata: { name },
  data,
});

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + untilMs;
  while (!condition()) {
    assert.ok(systemClock.monotonicMs() < endMs, what);
    await core.readNamespace({ name: namespace });
  }
}

test('creates, reads, replaces, patches, lists and deletes', async () => {
  const made = await core.createNamespacedConfigMap({ namespace, body: named('a', { k: 'v' }) });
  assert.ok(made.metadata?.creationTimestamp instanceof Date);
  const read = await core.readNamespacedConfigMap({ namespace, name: 'a' });
  assert.deepEqual(read.data, { k: 'v' });
  const replaced = await core.replaceNamespacedConfigMap({
    namespace,
    name: 'a',
    body: { ...read, data: { k: 'w' } },
  });
  assert.notEqual(replaced.metadata?.resourceVersion, read.metadata?.resourceVersion);
  const patched = await core.patchNamespacedConfigMap(
    { namespace, name: 'a', body: { data: { more: 'x' } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  );
  assert.deepEqual(patched.data, { k: 'w', more: 'x' });
  const { items } = await core.listNamespacedConfigMap({
    namespace,
    fieldSelector: 'metadata.name=a',
  });
  assert.equal(items.length, 1);
  const status = await core.deleteNamespacedConfigMap({ namespace, name: 'a' });
  assert.equal(status.status, 'Success');
});

test('failures are Status objects with their code', async () => {
  const missing = core.readNamespacedConfigMap({ namespace, name: 'nothing' });
  await assert.rejects(missing, (error) => {
    assert.ok(error instanceof ApiException);
    assert.equal(error.code, 404);
    assert.match(String(error.body), /configmaps \\?"nothing\\?" not found/);
    return true;
  });
  await core.createNamespacedConfigMap({ namespace, body: named('twice') });
  const again = core.createNamespacedConfigMap({ namespace, body: named('twice') });
  await assert.rejects(again, { code: 409 });
  const stale = { ...named('twice'), metadata: { name: 'twice', resourceVersion: '1' } };
  const replace = core.replaceNamespacedConfigMap({ namespace, name: 'twice', body: stale });
  await assert.rejects(replace, { code: 409 });
});

test('typed and untyped clients apply a Deployment', async () => {
  const objects = KubernetesObjectApi.makeApiClient(config);
  const labels = { app: 'web' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } },
    },
  };
  const apply = (): Promise<unknown> =>
    objects.patch(deployment, undefined, undefined, 'test', true, PatchStrategy.ServerSideApply);
  await apply();
  await apply();
  const apps = config.makeApiClient(AppsV1Api);
  const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'web' });
  assert.equal(scale.spec?.replicas, 2);
  // Without a version: the controller writes the same object at any time.
  const body = { ...scale, metadata: { name: 'web' }, spec: { replicas: 3 } };
  await apps.replaceNamespacedDeploymentScale({ namespace, name: 'web', body });
  const read = await apps.readNamespacedDeployment({ namespace, name: 'web' });
  assert.equal(read.spec?.replicas, 3);
  await apps.deleteNamespacedDeployment({ namespace, name: 'web' });
});

test('a watch delivers each change once, in order', async () => {
  const { metadata } = await core.listNamespacedConfigMap({ namespace });
  const seen: string[] = [];
  const ended = Promise.withResolvers<unknown>();
  const request = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { resourceVersion: metadata?.resourceVersion ?? '' },
    (phase: string, object: V1ConfigMap) => void seen.push(`${phase} ${object.metadata?.name}`),
    ended.resolve,
  );
  const names = Array.from({ length: 50 }, (_, index) => `w${index}`);
  for (const name of names) await core.createNamespacedConfigMap({ namespace, body: named(name) });
  await core.deleteNamespacedConfigMap({ namespace, name: 'w0' });
  await until('the last event', () => seen.includes('DELETED w0'));
  assert.deepEqual(seen, [...names.map((name) => `ADDED ${name}`), 'DELETED w0']);
  request.abort();
  await ended.promise;
});

test('an informer ends up with what a fresh list shows', async () => {
  const list = () => core.listNamespacedConfigMap({ namespace });
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list);
  await informer.start();
  const change = async (index: number): Promise<void> => {
    const name = `i${index}`;
    await core.createNamespacedConfigMap({ namespace, body: named(name) });
    const body = named(name, { changed: 'yes' });
    await core.replaceNamespacedConfigMap({ namespace, name, body });
    if (index % 3 === 0) await core.deleteNamespacedConfigMap({ namespace, name });
  };
  await Promise.all(Array.from({ length: 60 }, (_, index) => change(index)));
  const versions = (objects: readonly V1ConfigMap[]): string[] =>
    objects.map(({ metadata }) => `${metadata?.name}@${metadata?.resourceVersion}`).sort();
  const fresh = versions((await list()).items);
  await until('the informer', () => versions(informer.list()).join() === fresh.join());
  await informer.stop();
});
