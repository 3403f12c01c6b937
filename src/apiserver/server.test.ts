import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hasReason } from '#base/api-status-error.ts';
import type { Client, WatchEvent } from '#client/mod.ts';
import { resources } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { ConfigMap, Deployment, Namespace, Pod, Secret } from '#schema/types.ts';
import type { TestServer } from './test-server.ts';
import { startTestServer } from './test-server.ts';

let target: TestServer;
const clients: Record<string, Client> = {};

before(async () => {
  target = await startTestServer();
  clients['in process'] = target.client;
  clients['over HTTPS'] = (await target.listen()).client;
});

after(() => target.close());

const map = (name: string, extra: Partial<ConfigMap> = {}): ConfigMap => ({
  metadata: { name },
  data: { a: '1' },
  ...extra,
});

const pod = (name: string, spec: object = {}): Pod => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});

async function take<T extends KubeObject>(
  events: AsyncIterable<WatchEvent<T>>,
  count: number,
): Promise<WatchEvent<T>[]> {
  const seen: WatchEvent<T>[] = [];
  for await (const event of events) {
    seen.push(event);
    if (seen.length === count) break;
  }
  return seen;
}

for (const [index, way] of ['in process', 'over HTTPS'].entries()) {
  describe(`a client ${way}`, () => {
    const namespace = `suite-${index}`;
    const at = { namespace };
    const client = (): Client => clients[way] as Client;

    test('creates, reads, replaces and deletes an object', async () => {
      const made = await client().create<ConfigMap>(resources.configMaps, map('life'), at);
      assert.equal(made.kind, 'ConfigMap');
      assert.equal(made.metadata.namespace, namespace);
      assert.match(made.metadata.uid ?? '', /^[0-9a-f-]{36}$/);
      const read = await client().get<ConfigMap>(resources.configMaps, 'life', at);
      assert.deepEqual(read, made);
      const changed = { ...read, data: { a: '2' } };
      const updated = await client().update<ConfigMap>(resources.configMaps, changed);
      assert.deepEqual(updated.data, { a: '2' });
      assert.notEqual(updated.metadata.resourceVersion, made.metadata.resourceVersion);
      const status = await client().delete(resources.configMaps, 'life', at);
      assert.equal(status.kind, 'Status');
      await assert.rejects(client().get(resources.configMaps, 'life', at), (error: unknown) =>
        hasReason(error, 'NotFound'),
      );
    });

    test('does not write when an update changes nothing', async () => {
      const made = await client().create<ConfigMap>(resources.configMaps, map('same'), at);
      const updated = await client().update<ConfigMap>(resources.configMaps, made);
      assert.equal(updated.metadata.resourceVersion, made.metadata.resourceVersion);
    });

    test('refuses an update of an old version with 409', async () => {
      const made = await client().create<ConfigMap>(resources.configMaps, map('stale'), at);
      await client().update(resources.configMaps, { ...made, data: { a: '2' } });
      await assert.rejects(
        client().update(resources.configMaps, { ...made, data: { a: '3' } }),
        (error: Error) => {
          assert.ok(hasReason(error, 'Conflict'));
          assert.equal(
            error.message,
            'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
          );
          return true;
        },
      );
    });

    test('refuses a second object of the same name with 409 AlreadyExists', async () => {
      await client().create(resources.configMaps, map('twice'), at);
      await assert.rejects(
        client().create(resources.configMaps, map('twice'), at),
        (error: Error) => {
          assert.ok(hasReason(error, 'AlreadyExists'));
          assert.equal(error.message, 'configmaps "twice" already exists');
          return true;
        },
      );
    });

    test('makes a name from generateName', async () => {
      const object = { metadata: { generateName: 'job-' } } as ConfigMap;
      const made = await client().create<ConfigMap>(resources.configMaps, object, at);
      assert.match(made.metadata.name, /^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    });

    test('stores nothing on a dry run', async () => {
      const dry = { ...at, dryRun: true };
      const made = await client().create<ConfigMap>(resources.configMaps, map('dry'), dry);
      assert.equal(made.metadata.name, 'dry');
      await assert.rejects(client().get(resources.configMaps, 'dry', at));
    });

    test('lists by labels in order of names, with items that carry their kind', async () => {
      const labelled = (name: string): ConfigMap =>
        map(name, { metadata: { name, labels: { set: 'list' } } });
      for (const name of ['c', 'a', 'b']) {
        await client().create(resources.configMaps, labelled(name), at);
      }
      const options = { ...at, labelSelector: 'set=list' };
      const list = await client().list<ConfigMap>(resources.configMaps, options);
      assert.deepEqual(
        list.items.map((item) => item.metadata.name),
        ['a', 'b', 'c'],
      );
      assert.equal(list.items[0]?.kind, 'ConfigMap');
    });

    test('pages show the state of the first page', async () => {
      const own = { namespace: `${namespace}-pages` };
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        await client().create(resources.configMaps, map(name), own);
      }
      const first = await client().list<ConfigMap>(resources.configMaps, { ...own, limit: 2 });
      assert.equal(first.metadata.remainingItemCount, 3);
      await client().delete(resources.configMaps, 'd', own);
      await client().create(resources.configMaps, map('bb'), own);
      const rest = await client().list<ConfigMap>(resources.configMaps, {
        ...own,
        continue: first.metadata.continue,
      });
      assert.deepEqual(
        rest.items.map((item) => item.metadata.name),
        ['c', 'd', 'e'],
      );
      assert.equal(rest.metadata.resourceVersion, first.metadata.resourceVersion);
    });

    test('watches from a version without gaps and turns a lost label into DELETED', async () => {
      const watched = map('watched', { metadata: { name: 'watched', labels: { w: 'yes' } } });
      const { metadata } = await client().list(resources.configMaps, at);
      const events = take<ConfigMap>(
        client().watch<ConfigMap>(resources.configMaps, {
          ...at,
          labelSelector: 'w=yes',
          resourceVersion: metadata.resourceVersion,
        }),
        3,
      );
      const made = await client().create<ConfigMap>(resources.configMaps, watched, at);
      const second = await client().update<ConfigMap>(resources.configMaps, {
        ...made,
        data: { a: '2' },
      });
      const third = await client().update<ConfigMap>(resources.configMaps, {
        ...second,
        metadata: { ...second.metadata, labels: { w: 'no' } },
      });
      const seen = await events;
      assert.deepEqual(
        seen.map((event) => [event.type, event.object.metadata.resourceVersion]),
        [
          ['ADDED', made.metadata.resourceVersion],
          ['MODIFIED', second.metadata.resourceVersion],
          ['DELETED', third.metadata.resourceVersion],
        ],
      );
      assert.deepEqual(seen[2]?.object.metadata.labels, { w: 'yes' });
    });

    test('initial events end with a marked bookmark', async () => {
      const own = { namespace: `${namespace}-initial` };
      await client().create(resources.configMaps, map('one'), own);
      const options = { ...own, sendInitialEvents: true, allowWatchBookmarks: true };
      const seen = await take(client().watch<ConfigMap>(resources.configMaps, options), 2);
      assert.equal(seen[0]?.type, 'ADDED');
      assert.equal(seen[1]?.type, 'BOOKMARK');
      const { annotations } = seen[1]?.object.metadata ?? {};
      assert.equal(annotations?.['k8s.io/initial-events-end'], 'true');
    });

    test('patches by merge, strategic merge and JSON patch', async () => {
      await client().create(resources.pods, pod('patched'), at);
      const merged = await client().patch<Pod>(
        resources.pods,
        'patched',
        { type: 'merge', body: { metadata: { labels: { a: 'b' } } } },
        at,
      );
      assert.deepEqual(merged.metadata.labels, { a: 'b' });
      const strategic = await client().patch<Pod>(
        resources.pods,
        'patched',
        { type: 'strategic', body: { spec: { containers: [{ name: 'c', image: 'j' }] } } },
        at,
      );
      assert.equal(strategic.spec?.containers[0]?.image, 'j');
      const json = await client().patch<Pod>(
        resources.pods,
        'patched',
        { type: 'json', body: [{ op: 'replace', path: '/metadata/labels/a', value: 'c' }] },
        at,
      );
      assert.deepEqual(json.metadata.labels, { a: 'c' });
      assert.equal(json.spec?.containers[0]?.image, 'j');
    });

    test('apply creates, then owns fields and refuses those of others', async () => {
      const body = (data: Record<string, string>): ConfigMap => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'applied' },
        data,
      });
      const apply = (data: Record<string, string>, fieldManager: string): Promise<ConfigMap> =>
        client().patch<ConfigMap>(
          resources.configMaps,
          'applied',
          { type: 'apply', body: body(data) },
          { ...at, fieldManager },
        );
      await apply({ a: '1', b: '1' }, 'one');
      const changed = await apply({ a: '2' }, 'one');
      assert.deepEqual(changed.data, { a: '2' });
      await assert.rejects(
        apply({ a: '3' }, 'two'),
        /Apply failed with 1 conflict: conflict with "one": \.data\.a/,
      );
    });

    test('many patches of one object at once all come to pass', async () => {
      await client().create(resources.configMaps, map('busy', { data: {} }), at);
      await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          client().patch(
            resources.configMaps,
            'busy',
            { type: 'merge', body: { data: { [`k${i}`]: 'v' } } },
            at,
          ),
        ),
      );
      const busy = await client().get<ConfigMap>(resources.configMaps, 'busy', at);
      assert.equal(Object.keys(busy.data ?? {}).length, 40);
    });

    test('binds a pod once and shuts it down with its grace period', async () => {
      await client().create(resources.pods, pod('bound'), at);
      const binding = { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n1' } };
      const how = { ...at, name: 'bound', subresource: 'binding' };
      await client().create(resources.pods, binding, how);
      const bound = await client().get<Pod>(resources.pods, 'bound', at);
      assert.equal(bound.spec?.nodeName, 'n1');
      assert.equal(bound.status?.conditions?.[0]?.type, 'PodScheduled');
      await assert.rejects(
        client().create(resources.pods, binding, how),
        /pod bound is already assigned to node "n1"/,
      );
      const going = (await client().delete(resources.pods, 'bound', at)) as Pod;
      assert.equal(going.metadata.deletionGracePeriodSeconds, 30);
      await client().delete(resources.pods, 'bound', { ...at, gracePeriodSeconds: 0 });
      await assert.rejects(client().get(resources.pods, 'bound', at));
    });

    test('a pod without a node is gone at once', async () => {
      await client().create(resources.pods, pod('free'), at);
      await client().delete(resources.pods, 'free', at);
      await assert.rejects(client().get(resources.pods, 'free', at));
    });

    test('an object with finalizers stays until they are gone', async () => {
      const held = map('held', { metadata: { name: 'held', finalizers: ['example.com/hold'] } });
      await client().create(resources.configMaps, held, at);
      const going = (await client().delete(resources.configMaps, 'held', at)) as ConfigMap;
      assert.notEqual(going.metadata.deletionTimestamp, undefined);
      const { finalizers: _finalizers, ...metadata } = going.metadata;
      await client().update(resources.configMaps, { ...going, metadata });
      await assert.rejects(client().get(resources.configMaps, 'held', at));
    });

    test('foreground deletion waits for the garbage collector', async () => {
      await client().create(resources.configMaps, map('owner'), at);
      const going = (await client().delete(resources.configMaps, 'owner', {
        ...at,
        propagationPolicy: 'Foreground',
      })) as ConfigMap;
      assert.deepEqual(going.metadata.finalizers, ['foregroundDeletion']);
    });

    test('a delete with another uid is a conflict', async () => {
      await client().create(resources.configMaps, map('mine'), at);
      await assert.rejects(
        client().delete(resources.configMaps, 'mine', { ...at, preconditions: { uid: 'x' } }),
        /ConfigMap "mine": the UID in the precondition \(x\) does not match the UID in record/,
      );
    });

    test('a namespace is terminating until it is finalized', async () => {
      const name = `${namespace}-going`;
      const made = await client().create<Namespace>(resources.namespaces, { metadata: { name } });
      assert.deepEqual(made.metadata.labels, { 'kubernetes.io/metadata.name': name });
      const going = (await client().delete(resources.namespaces, name)) as Namespace;
      assert.equal(going.status?.phase, 'Terminating');
      const finalized = { ...going, spec: { finalizers: [] } };
      await client().update(resources.namespaces, finalized, { subresource: 'finalize' });
      await assert.rejects(client().get(resources.namespaces, name));
    });

    test('stringData of a secret becomes data', async () => {
      const secret: Secret = { metadata: { name: 's' }, stringData: { k: 'v' } };
      const made = await client().create<Secret>(resources.secrets, secret, at);
      assert.deepEqual(made.data, { k: 'dg==' });
      assert.equal(made.stringData, undefined);
    });

    test('scale reads and writes replicas only', async () => {
      const labels = { app: 'x' };
      const deployment = {
        metadata: { name: 'scaled' },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        },
      } as unknown as Deployment;
      await client().create(resources.deployments, deployment, at);
      const how = { ...at, subresource: 'scale' };
      const patch = { type: 'merge' as const, body: { spec: { replicas: 3 } } };
      const scale = await client().patch(resources.deployments, 'scaled', patch, how);
      assert.equal(scale.kind, 'Scale');
      const scaled = await client().get<Deployment>(resources.deployments, 'scaled', at);
      assert.equal(scaled.spec?.replicas, 3);
      assert.equal(scaled.metadata.generation, 2);
    });

    test('a collection is deleted by labels', async () => {
      const own = { namespace: `${namespace}-collection` };
      const labelled = (name: string, l: string): ConfigMap =>
        map(name, { metadata: { name, labels: { l } } });
      await client().create(resources.configMaps, labelled('a', 'go'), own);
      await client().create(resources.configMaps, labelled('b', 'stay'), own);
      await client().deleteCollection(resources.configMaps, { ...own, labelSelector: 'l=go' });
      const { items } = await client().list<ConfigMap>(resources.configMaps, own);
      assert.deepEqual(
        items.map((item) => item.metadata.name),
        ['b'],
      );
    });

    test('raw requests reach every path', async () => {
      const version = await client().raw({ method: 'GET', path: '/version' });
      assert.equal(version.status, 200);
      assert.match(version.body.toString(), /"gitVersion": "v1.36.2\+k3ts1"/);
      const missing = await client().raw({ method: 'GET', path: '/nothing' });
      assert.equal(missing.status, 404);
      assert.equal(missing.body.toString(), '404 page not found\n');
    });
  });
}
