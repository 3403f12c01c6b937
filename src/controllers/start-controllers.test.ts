import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import { catalog } from '#schema/mod.ts';
import type { CoreV1Event, Deployment, Namespace, Pod } from '#schema/types.ts';
import { startControllers } from './start-controllers.ts';

const namespace: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop' },
  spec: { finalizers: ['kubernetes'] },
  status: { phase: 'Active' },
};
const deployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } },
  },
};

function start(disabled: readonly string[] = []) {
  const clock = new FakeClock();
  const random = seededRandom(5);
  const client = createFakeClient({ clock, random, objects: [namespace] });
  const stop = new AbortController();
  const shared = { clock, random, log: silentLogger, signal: stop.signal };
  const informers = createInformerFactory({ ...shared, client });
  const options = { resources: () => catalog.all, rootCa: 'ca', clusterCidrs: ['10.42.0.0/16'] };
  const identities = new Set<string>();
  const clientFor = (name: string) => {
    identities.add(name);
    return client;
  };
  const done = startControllers({ ...shared, client: clientFor, informers, options, disabled });
  return { clock, client, stop, done, identities };
}

test('a Deployment becomes pods and a deleted namespace takes everything along', async () => {
  const { clock, client, stop, done, identities } = start();
  await clock.advance(100);
  await client.create(resources.deployments, deployment);
  await clock.advance(1000);
  assert.equal(client.all<Pod>(resources.pods).length, 2);
  const components = client
    .all<CoreV1Event>(resources.events)
    .map(({ source }) => source?.component ?? '');
  assert.deepEqual([...new Set(components)].sort(), [
    'deployment-controller',
    'replicaset-controller',
  ]);
  await client.delete(resources.namespaces, 'shop');
  await clock.advance(30_000);
  for (const resource of [resources.pods, resources.replicaSets, resources.namespaces]) {
    assert.deepEqual(client.all(resource), []);
  }
  assert.ok(identities.has('garbage-collector-controller'));
  stop.abort();
  await done;
  assert.equal(clock.pendingTimers, 0);
});

test('deleting a Deployment deletes its replica sets and pods', async () => {
  const { clock, client, stop, done } = start();
  await client.create(resources.deployments, deployment);
  await clock.advance(1000);
  await client.delete(resources.deployments, 'web', { namespace: 'shop' });
  await clock.advance(1000);
  assert.deepEqual(client.all(resources.replicaSets), []);
  assert.deepEqual(client.all(resources.pods), []);
  stop.abort();
  await done;
});

test('a disabled controller does nothing', async () => {
  const { clock, client, stop, done, identities } = start(['deployment-controller']);
  await client.create(resources.deployments, deployment);
  await clock.advance(1000);
  assert.deepEqual(client.all(resources.replicaSets), []);
  assert.equal(identities.has('deployment-controller'), false);
  stop.abort();
  await done;
});
