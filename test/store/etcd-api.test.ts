/** API servers whose datastore is an etcd: layout, sharing, leases, failures. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { encodeProtobuf } from '#schema/protobuf/mod.ts';
import { at } from '../api/answer.ts';
import type { TestApi } from '../api/server.ts';
import { startTestApi } from '../api/server.ts';
import { etcdProblem, startEtcd } from './etcd-process.ts';
import type { EtcdProcess } from './etcd-process.ts';

const maps = '/api/v1/namespaces/default/configmaps';
let etcd: EtcdProcess;
let one: TestApi;
let two: TestApi;

async function counted(api: TestApi, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const now = await api.request('GET', `${maps}/counter`);
    const object = now.json as { data: { count: string } };
    object.data.count = String(Number(object.data.count) + 1);
    const put = await api.request('PUT', `${maps}/counter`, { body: object });
    if (put.status === 200) done++;
    else assert.equal(put.status, 409, put.text);
  }
}

describe('API servers on etcd', { skip: etcdProblem() ?? false }, () => {
  before(async () => {
    etcd = await startEtcd();
    const settings = { datastoreEndpoint: etcd.endpoint };
    one = await startTestApi(settings);
    two = await startTestApi({ ...settings, disableControllerManager: true });
  });
  after(async () => {
    await one.close();
    await two.close();
    await etcd.close();
  });

  test('objects lie where upstream keeps them, as JSON without resourceVersion', async () => {
    const body = { metadata: { name: 'layout' }, data: { a: 'b' } };
    const made = await one.request('POST', maps, { body });
    assert.equal(made.status, 201);
    assert.match(String(made.at('metadata.resourceVersion')), /^\d+$/);
    const key = '/registry/configmaps/default/layout';
    const text = etcd.ctl('get', key, '--print-value-only');
    assert.match(text, /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{"name":"layout"/);
    const stored = JSON.parse(text) as object;
    assert.equal(at(stored, 'metadata.resourceVersion'), undefined);
    assert.deepEqual(at(stored, 'data'), { a: 'b' });
    const held = JSON.parse(etcd.ctl('get', key, '-w', 'json')) as {
      kvs: { mod_revision: number }[];
    };
    assert.equal(made.at('metadata.resourceVersion'), String(held.kvs[0]?.mod_revision));
  });

  test('values that other servers wrote are read: JSON of Go, and protobuf', async () => {
    const metadata = { name: 'foreign', namespace: 'default', uid: 'u-1' };
    const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata, data: { from: 'json' } };
    const key = '/registry/configmaps/default/foreign';
    const watch = await two.watch(`${maps}?watch=true&fieldSelector=metadata.name%3Dforeign`);
    etcd.ctl('put', key, `${JSON.stringify(object)}\n`);
    const added = await watch.next();
    const revision = String(at(added?.object, 'metadata.resourceVersion'));
    assert.equal(added?.type, 'ADDED');
    const read = await one.request('GET', `${maps}/foreign`);
    assert.deepEqual(read.json, {
      ...object,
      metadata: { resourceVersion: revision, ...metadata },
    });
    const bytes = encodeProtobuf({ ...object, data: { from: 'protobuf' } });
    assert.ok(bytes !== undefined);
    etcd.put(key, bytes);
    const changed = await watch.next();
    assert.equal(at(changed?.object, 'data.from'), 'protobuf');
    watch.close();
    const body = { metadata: { labels: { seen: 'true' } } };
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const patched = await one.request('PATCH', `${maps}/foreign`, { body, headers });
    assert.equal(patched.at('data.from'), 'protobuf');
    assert.match(etcd.ctl('get', key, '--print-value-only'), /^\{"kind":"ConfigMap"/);
  });

  test('events are read from etcd, at both servers and in pages of one state', async () => {
    const events = '/api/v1/namespaces/default/events';
    const create = async (name: string, reason: string): Promise<void> => {
      const metadata = { name, namespace: 'default' };
      const involvedObject = { kind: 'Pod', name: 'p', namespace: 'default' };
      const body = { metadata, involvedObject, reason };
      const made = await one.request('POST', events, { body });
      assert.equal(made.status, 201, made.text);
    };
    const chosen = 'labelSelector=!none&fieldSelector=involvedObject.name%3Dp';
    for (let i = 0; i < 5; i++) await create(`etcd-${i}`, i < 3 ? 'First' : 'Second');
    const first = await two.request('GET', `${events}?${chosen}&limit=3`);
    assert.deepEqual(first.at('items.*.metadata.name'), ['etcd-0', 'etcd-1', 'etcd-2']);
    const from = String(first.at('metadata.resourceVersion'));
    const path = `${events}?watch=1&fieldSelector=reason%3DFirst&resourceVersion=${from}`;
    const watch = await two.watch(path);
    const headers = { 'Content-Type': 'application/merge-patch+json' };
    const body = { reason: 'Second' };
    const patched = await two.request('PATCH', `${events}/etcd-1`, { body, headers });
    assert.equal(patched.at('reason'), 'Second');
    assert.equal((await one.request('DELETE', `${events}/etcd-4`)).status, 200);
    assert.equal((await one.request('DELETE', `${events}/etcd-2`)).status, 200);
    const next = `${events}?${chosen}&limit=3&continue=${String(first.at('metadata.continue'))}`;
    const rest = await one.request('GET', next);
    assert.deepEqual(rest.at('items.*.metadata.name'), ['etcd-3', 'etcd-4']);
    assert.equal((await two.request('GET', `${events}/etcd-4`)).status, 404);
    const names = ['etcd-1', 'etcd-2'];
    for (const name of names) {
      const item = await watch.next();
      assert.equal(item?.type, 'DELETED');
      assert.equal(at(item?.object, 'metadata.name'), name);
      assert.equal(at(item?.object, 'reason'), 'First');
    }
    watch.close();
    const now = await two.request('GET', `${events}?fieldSelector=reason%3DSecond`);
    assert.deepEqual(now.at('items.*.metadata.name'), ['etcd-1', 'etcd-3']);
    const gone = await two.request('DELETE', `${events}?${chosen}`);
    assert.equal(gone.status, 200);
    assert.deepEqual((await one.request('GET', `${events}?${chosen}`)).at('items'), []);
  });

  test('a write at one server is in every read of the other that follows', async () => {
    for (let i = 0; i < 20; i++) {
      const name = `fresh-${i}`;
      const made = await one.request('POST', maps, { body: { metadata: { name } } });
      const list = await two.request('GET', maps);
      const names = (list.at('items') as { metadata: { name: string } }[]).map(
        (item) => item.metadata.name,
      );
      assert.ok(names.includes(name));
      const got = await two.request('GET', `${maps}/${name}`);
      const put = await two.request('PUT', `${maps}/${name}`, { body: got.json });
      assert.equal(put.status, 200);
      const stale = { ...(made.json as object), data: { late: 'yes' } };
      const updated = await two.request('PUT', `${maps}/${name}`, {
        body: { ...(got.json as object), data: { new: 'yes' } },
      });
      assert.equal(updated.status, 200);
      assert.equal((await one.request('PUT', `${maps}/${name}`, { body: stale })).status, 409);
      const again = { ...(updated.json as object), data: { newer: 'yes' } };
      assert.equal((await one.request('PUT', `${maps}/${name}`, { body: again })).status, 200);
    }
  });

  test('increments through both servers are all counted', async () => {
    const body = { metadata: { name: 'counter' }, data: { count: '0' } };
    await one.request('POST', maps, { body });
    await Promise.all([one, two, one, two].map((api) => counted(api, 10)));
    const end = await two.request('GET', `${maps}/counter`);
    assert.equal(end.at('data.count'), '40');
  });

  test('events have a lease, other objects have none', async () => {
    const event = {
      metadata: { name: 'happened' },
      involvedObject: { kind: 'ConfigMap', namespace: 'default', name: 'layout' },
      reason: 'Tested',
      type: 'Normal',
    };
    const path = '/api/v1/namespaces/default/events';
    assert.equal((await one.request('POST', path, { body: event })).status, 201);
    const leaseOf = (key: string): number => {
      const answer = JSON.parse(etcd.ctl('get', key, '-w', 'json')) as {
        kvs: { lease?: number }[];
      };
      return answer.kvs[0]?.lease ?? 0;
    };
    assert.ok(leaseOf('/registry/events/default/happened') > 0);
    assert.equal(leaseOf('/registry/configmaps/default/layout'), 0);
  });

  test('what is too large for etcd is refused in its words', async () => {
    const env = [{ name: 'LARGE', value: 'x'.repeat(1_600_000) }];
    const body = {
      metadata: { name: 'large' },
      spec: { containers: [{ name: 'c', image: 'i', env }] },
    };
    const made = await one.request('POST', '/api/v1/namespaces/default/pods', { body });
    assert.equal(made.status, 500, made.text.slice(0, 300));
    assert.deepEqual(made.json, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'etcdserver: request is too large',
      code: 500,
    });
    assert.equal((await one.request('GET', '/api/v1/namespaces/default/pods/large')).status, 404);
  });

  test('without etcd the server is not ready; with it again it is, and watches go on', async () => {
    const watch = await one.watch(`${maps}?watch=true&labelSelector=after%3Dkill`);
    await etcd.stop();
    const down = await one.until('/readyz?verbose', (answer) => answer.status === 500);
    assert.match(down.text, /\[-\]etcd failed/);
    const refused = await one.request('POST', maps, { body: { metadata: { name: 'lost' } } });
    assert.ok(refused.status >= 500, refused.text);
    assert.equal((await one.request('GET', `${maps}?resourceVersion=0`)).status, 200);
    await etcd.start();
    await one.until('/readyz', (answer) => answer.status === 200);
    const body = { metadata: { name: 'after-kill', labels: { after: 'kill' } } };
    assert.equal((await two.request('POST', maps, { body })).status, 201);
    const event = await watch.next();
    assert.equal(at(event?.object, 'metadata.name'), 'after-kill');
    watch.close();
  });
});
