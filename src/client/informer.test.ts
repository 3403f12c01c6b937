import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { Pod } from '#schema/types.ts';
import { createInformerFactory } from './informer-factory.ts';
import { createInformer } from './informer.ts';
import { resources } from './resources.ts';
import { createFakeClient } from './testing/mod.ts';
import type { FakeClient } from './testing/mod.ts';

const pod = (name: string, node = ''): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [], nodeName: node },
});

function setUp(client: FakeClient = createFakeClient()) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const options = {
    client,
    clock,
    random: seededRandom(7),
    log: silentLogger,
    signal: stop.signal,
  };
  const informer = createInformer<Pod>({ ...options, resource: resources.pods });
  const seen: string[] = [];
  informer.addHandler({
    onAdd: (object) => void seen.push(`add ${object.metadata.name}`),
    onUpdate: (_old, object) => void seen.push(`update ${object.metadata.name}`),
    onDelete: (object) => void seen.push(`delete ${object.metadata.name}`),
  });
  return { client, clock, stop, informer, seen, options };
}

const label = (client: FakeClient, name: string, value: string): void =>
  void client.modify<Pod>(resources.pods, `default/${name}`, (object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { value } },
  }));

test('lists, then follows changes, and tells handlers each once and in order', async () => {
  const { client, clock, informer, seen, stop } = setUp();
  client.add(pod('a'));
  informer.start();
  assert.equal(informer.hasSynced, false);
  await informer.synced();
  await clock.advance(0);
  client.add(pod('b'));
  label(client, 'a', '1');
  client.remove(resources.pods, 'default/b');
  await clock.advance(0);
  assert.deepEqual(seen, ['add a', 'add b', 'update a', 'delete b']);
  assert.deepEqual(informer.get('default/a')?.metadata.labels, { value: '1' });
  stop.abort();
  await informer.done;
});

test('resumes after a cut watch without repeating or losing a change', async () => {
  const { client, clock, informer, seen, stop } = setUp();
  client.add(pod('a'));
  informer.start();
  await clock.advance(0);
  client.endWatches(new Error('cut'));
  await clock.advance(0);
  client.add(pod('b'));
  label(client, 'a', '1');
  await clock.advance(60_000);
  assert.deepEqual(seen, ['add a', 'add b', 'update a']);
  stop.abort();
  await informer.done;
});

test('after 410 it lists again and tells only the differences', async () => {
  const { client, clock, informer, seen, stop } = setUp();
  client.add(pod('stays'), pod('changes'), pod('goes'), pod('remade'));
  informer.start();
  await clock.advance(0);
  seen.length = 0;
  client.endWatches(new Error('cut'));
  await clock.advance(0);
  label(client, 'changes', '1');
  client.remove(resources.pods, 'default/goes');
  client.remove(resources.pods, 'default/remade');
  client.add(pod('remade'), pod('new'));
  client.expireHistory();
  await clock.advance(60_000);
  assert.deepEqual(seen.sort(), [
    'add new',
    'add remade',
    'delete goes',
    'delete remade',
    'update changes',
  ]);
  stop.abort();
  await informer.done;
});

test('keeps trying with growing waits while the server refuses', async () => {
  const client = createFakeClient();
  let lists = 0;
  const failing: FakeClient = Object.create(client) as FakeClient;
  failing.list = () => {
    lists += 1;
    return Promise.reject(new Error('refused'));
  };
  const { clock, informer, stop } = setUp(failing);
  informer.start();
  await clock.advance(0);
  assert.equal(lists, 1);
  await clock.advance(1600);
  assert.equal(lists, 2);
  await clock.advance(10 * 60_000);
  const tries: number = lists;
  assert.ok(tries > 15 && tries < 32);
  stop.abort();
  await informer.done;
});

test('indexes follow changes, added before or after the start', async () => {
  const { client, clock, informer, stop } = setUp();
  informer.addIndex('node', (object) => [object.spec?.nodeName ?? '']);
  client.add(pod('a', 'n1'), pod('b', 'n1'), pod('c', 'n2'));
  informer.start();
  await clock.advance(0);
  const names = (index: string, value: string): string[] =>
    informer.byIndex(index, value).map((object) => object.metadata.name);
  assert.deepEqual(names('node', 'n1'), ['a', 'b']);
  client.modify<Pod>(resources.pods, 'default/a', (object) => ({
    ...object,
    spec: { containers: [], nodeName: 'n2' },
  }));
  await clock.advance(0);
  assert.deepEqual(names('node', 'n1'), ['b']);
  assert.deepEqual(names('node', 'n2').sort(), ['a', 'c']);
  informer.addIndex('name', (object) => [object.metadata.name]);
  assert.deepEqual(names('name', 'c'), ['c']);
  assert.equal(informer.listNamespace('default').length, 3);
  assert.equal(informer.listNamespace('other').length, 0);
  stop.abort();
});

test('a handler added late gets an add for each object; a removed one gets nothing', async () => {
  const { client, clock, informer, stop } = setUp();
  client.add(pod('a'));
  informer.start();
  await clock.advance(0);
  const late: string[] = [];
  const remove = informer.addHandler({ onAdd: (object) => void late.push(object.metadata.name) });
  client.add(pod('b'));
  await clock.advance(0);
  remove();
  client.add(pod('c'));
  await clock.advance(0);
  assert.deepEqual(late, ['a', 'b']);
  stop.abort();
});

test('a factory shares one informer per resource and selection', async () => {
  const { client, clock, options, stop } = setUp();
  client.add(pod('a', 'n1'));
  const factory = createInformerFactory(options);
  const pods = factory.informer<Pod>(resources.pods);
  assert.equal(factory.informer(resources.pods), pods);
  const onNode = factory.informer(resources.pods, { fieldSelector: 'spec.nodeName=n2' });
  assert.notEqual(onNode, pods);
  factory.start();
  const late = factory.informer(resources.nodes);
  await factory.synced();
  assert.deepEqual([pods.list().length, onNode.list().length, late.hasSynced], [1, 0, true]);
  await clock.advance(0);
  stop.abort();
  await factory.done();
});
