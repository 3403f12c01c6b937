import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { seededRandom } from '#base/random.ts';
import { createEventRecorder, createInformerFactory, resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { CoreV1Event, Node, Pod } from '#schema/types.ts';
import { failureMessage } from './diagnosis.ts';
import { defaultConfiguration } from './config/scheduler-configuration.ts';
import { enableUserPlugins } from './config/user-plugins.ts';
import type { UserPlugin } from './config/user-plugins.ts';
import { failed, unschedulable } from './framework/status.ts';
import type { Status } from './framework/status.ts';
import { nodesToFind } from './place-pod.ts';
import { createSchedulerMetrics } from './scheduler-metrics.ts';
import { startScheduler } from './scheduler.ts';

function node(name: string, pods = '10'): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { allocatable: { cpu: '1', memory: '1Gi', pods } },
  };
}

function pod(name: string, cpu?: string, priority?: number): Pod {
  const requests = cpu === undefined ? undefined : { cpu };
  return {
    metadata: { name, namespace: 'default' },
    spec: { priority, containers: [{ name: 'c', image: 'web', resources: { requests } }] },
  };
}

async function start(plugins: readonly UserPlugin[] = []): Promise<{
  client: ReturnType<typeof createFakeClient>;
  clock: FakeClock;
  metrics: MetricRegistry;
  nodeOf: (name: string) => Promise<string | undefined>;
  stop: () => void;
}> {
  const clock = new FakeClock();
  const random = seededRandom(1);
  const client = createFakeClient({ clock, random });
  const stopper = new AbortController();
  const common = { client, clock, random, log: silentLogger, signal: stopper.signal };
  const informers = createInformerFactory(common);
  const metrics = new MetricRegistry();
  startScheduler({
    ...common,
    pods: informers.informer<Pod>(resources.pods),
    nodes: informers.informer<Node>(resources.nodes),
    events: createEventRecorder({ ...common, component: 'default-scheduler' }),
    metrics: createSchedulerMetrics(metrics),
    configuration: enableUserPlugins(defaultConfiguration, plugins),
    plugins: Object.fromEntries(plugins.map(({ name, create }) => [name, create])),
  });
  informers.start();
  await informers.synced();
  return {
    client,
    clock,
    metrics,
    nodeOf: async (name) =>
      (await client.get<Pod>(resources.pods, name, { namespace: 'default' })).spec?.nodeName,
    stop: () => stopper.abort(),
  };
}

test('pods are bound to nodes with room, the rest waits with upstream’s text', async (t) => {
  const { client, clock, nodeOf, stop } = await start();
  t.after(stop);
  client.add(node('a'));
  client.add(node('b'));
  await clock.advance(10);
  for (const name of ['p1', 'p2', 'p3']) {
    await client.create(resources.pods, pod(name, '600m'), { namespace: 'default' });
  }
  for (let turn = 0; turn < 10; turn++) await clock.advance(10);
  const placed = [await nodeOf('p1'), await nodeOf('p2')];
  assert.deepEqual(
    placed.toSorted((a = '', b = '') => a.localeCompare(b)),
    ['a', 'b'],
  );
  const waiting = await client.get<Pod>(resources.pods, 'p3', { namespace: 'default' });
  const condition = waiting.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  assert.equal(condition?.reason, 'Unschedulable');
  const text =
    '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, ' +
    'preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.';
  assert.equal(condition.message, text);
  const events = await client.list<CoreV1Event>(resources.events, { namespace: 'default' });
  const texts = events.items.map(({ reason, message }) => `${reason}: ${message}`);
  assert.ok(texts.includes(`FailedScheduling: ${text}`), texts.join('\n'));
  assert.ok(
    texts.some((text) => text.startsWith('Scheduled: Successfully assigned default/p1 to ')),
  );
});

test('a waiting pod moves on when a pod leaves or a node comes, after its back-off', async (t) => {
  const { client, clock, nodeOf, stop } = await start();
  t.after(stop);
  client.add(node('a', '1'));
  await client.create(resources.pods, pod('p1'), { namespace: 'default' });
  await clock.advance(10);
  await client.create(resources.pods, pod('p2'), { namespace: 'default' });
  await clock.advance(10);
  assert.equal(await nodeOf('p2'), undefined);
  await client.delete(resources.pods, 'p1', { namespace: 'default', gracePeriodSeconds: 0 });
  await clock.advance(1100);
  assert.equal(await nodeOf('p2'), 'a');
});

test('without nodes a pod waits, and gets the first that comes', async (t) => {
  const { client, clock, nodeOf, stop } = await start();
  t.after(stop);
  await client.create(resources.pods, pod('p1'), { namespace: 'default' });
  await clock.advance(10);
  client.add(node('a'));
  await clock.advance(1100);
  assert.equal(await nodeOf('p1'), 'a');
});

test('higher priority goes first', async (t) => {
  const { client, clock, nodeOf, stop } = await start();
  t.after(stop);
  await client.create(resources.pods, pod('low', '1', 0), { namespace: 'default' });
  await client.create(resources.pods, pod('high', '1', 100), { namespace: 'default' });
  await clock.advance(10);
  client.add(node('a'));
  await clock.advance(1100);
  assert.equal(await nodeOf('high'), 'a');
  assert.equal(await nodeOf('low'), undefined);
});

test('reasons are counted over nodes and sorted', () => {
  const statuses = new Map([
    ['a', unschedulable('Insufficient memory', 'Too many pods')],
    ['b', unschedulable('Insufficient memory')],
  ]);
  assert.equal(
    failureMessage({ nodeCount: 2, statuses }),
    '0/2 nodes are available: 1 Too many pods, 2 Insufficient memory.',
  );
  const absentStatus = unschedulable("node(s) didn't satisfy plugin(s) [NodeAffinity]");
  assert.equal(
    failureMessage({ nodeCount: 5, statuses, absentStatus }),
    '0/5 nodes are available: 1 Too many pods, 2 Insufficient memory, ' +
      "3 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  );
  assert.equal(
    failureMessage({ nodeCount: 3, statuses: new Map(), postFilterMessage: 'preemption: no.' }),
    '0/3 nodes are available preemption: no.',
  );
  assert.equal(
    failureMessage({ nodeCount: 0, statuses: new Map() }),
    'no nodes available to schedule pods',
  );
});

test('large clusters are searched in part, as upstream', () => {
  const table: [number, number][] = [
    [10, 10],
    [99, 99],
    [100, 100],
    [1000, 420],
    [5000, 500],
    [6000, 300],
  ];
  for (const [count, wanted] of table) assert.equal(nodesToFind(count), wanted, String(count));
});

test('what the scheduler does is counted under upstream’s names', async (t) => {
  const { client, clock, metrics, stop } = await start();
  t.after(stop);
  client.add(node('a'));
  await client.create(resources.pods, pod('p1', '600m'), { namespace: 'default' });
  await clock.advance(10);
  await client.create(resources.pods, pod('p2', '600m'), { namespace: 'default' });
  for (let turn = 0; turn < 10; turn++) await clock.advance(10);
  const text = await metrics.render();
  for (const line of [
    'scheduler_cache_size{type="nodes"} 1',
    'scheduler_cache_size{type="pods"} 1',
    'scheduler_pending_pods{queue="unschedulable"} 1',
    'scheduler_queue_incoming_pods_total{event="PodAdd",queue="active"} 2',
    'scheduler_queue_incoming_pods_total{event="ScheduleAttemptFailure",queue="unschedulable"} 1',
    'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
  }
  const points = new Set(
    [...text.matchAll(/extension_point_duration_seconds_count\{extension_point="(\w+)"/g)].map(
      ([, point]) => point,
    ),
  );
  assert.deepEqual([...points].toSorted(), [
    'Bind',
    'Filter',
    'PostFilter',
    'PreBind',
    'PreFilter',
    'Reserve',
  ]);
  stop();
  assert.ok(!(await metrics.render()).includes('scheduler_cache_size{'));
});

test('a scheduler that ends leaves the pods that wait, and writes nothing more', async (t) => {
  const { client, clock, nodeOf, stop } = await start();
  t.after(stop);
  for (const name of ['p1', 'p2']) {
    await client.create(resources.pods, pod(name), { namespace: 'default' });
  }
  await clock.advance(10);
  client.add(node('a'));
  stop();
  const before = JSON.stringify(await client.list<Pod>(resources.pods, {}));
  for (let turn = 0; turn < 20; turn++) await clock.advance(60_000);
  assert.equal(JSON.stringify(await client.list<Pod>(resources.pods, {})), before);
  assert.equal(await nodeOf('p1'), undefined);
});

test('new labels of a pod bring it back, its own condition does not', async (t) => {
  const { client, clock, nodeOf, stop } = await start();
  t.after(stop);
  client.add(node('a'));
  const waiting = pod('p1', '3');
  await client.create(resources.pods, waiting, { namespace: 'default' });
  for (let turn = 0; turn < 5; turn++) await clock.advance(1000);
  const events = await client.list<CoreV1Event>(resources.events, { namespace: 'default' });
  assert.equal(events.items.length, 1);
  assert.equal(events.items[0]?.count, 1);
  const patch = { type: 'merge', body: { metadata: { labels: { a: 'b' } } } } as const;
  await client.patch(resources.pods, 'p1', patch, { namespace: 'default' });
  for (let turn = 0; turn < 5; turn++) await clock.advance(1000);
  const again = await client.list<CoreV1Event>(resources.events, { namespace: 'default' });
  assert.equal(again.items[0]?.count, 2);
  assert.equal(await nodeOf('p1'), undefined);
});

test('a bind that is refused says who refused it, and the pod is tried again', async (t) => {
  const { client, clock, nodeOf, stop } = await start();
  t.after(stop);
  const create = client.create.bind(client);
  let refusals = 1;
  client.create = async (resource, object, options) => {
    if (options?.subresource === 'binding' && refusals-- > 0) throw new Error('not now');
    return await create(resource, object, options);
  };
  client.add(node('a'));
  await client.create(resources.pods, pod('p1'), { namespace: 'default' });
  for (let turn = 0; turn < 5; turn++) await clock.advance(10);
  const waiting = await client.get<Pod>(resources.pods, 'p1', { namespace: 'default' });
  const condition = waiting.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  assert.equal(condition?.reason, 'SchedulerError');
  assert.equal(condition.message, 'binding rejected: running Bind plugin "DefaultBinder": not now');
  assert.equal(await nodeOf('p1'), undefined);
  for (let turn = 0; turn < 5; turn++) await clock.advance(300);
  assert.equal(await nodeOf('p1'), 'a');
});

test('a pod whose binding takes its time says where it is going, until that fails', async (t) => {
  const answers: ((status: Status | undefined) => void)[] = [];
  const slow: UserPlugin = {
    name: 'Slow',
    create: () => ({
      name: 'Slow',
      preBindPreFlight: (_state, { pod: { metadata } }) => metadata.name === 'slow',
      preBind: (_state, { pod: { metadata } }) =>
        metadata.name === 'slow'
          ? new Promise((resolve) => void answers.push(resolve))
          : Promise.resolve(undefined),
    }),
  };
  const { client, clock, nodeOf, stop } = await start([slow]);
  t.after(stop);
  client.add(node('a'));
  await clock.advance(10);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await clock.advance(10);
  };
  const going = async (name: string): Promise<string | undefined> =>
    (await client.get<Pod>(resources.pods, name, { namespace: 'default' })).status
      ?.nominatedNodeName;
  await client.create(resources.pods, pod('slow', '600m'), { namespace: 'default' });
  await settle();
  assert.deepEqual([await nodeOf('slow'), await going('slow')], [undefined, 'a']);
  // it counts once: there is room for 400m beside it, and no more
  await client.create(resources.pods, pod('beside', '400m'), { namespace: 'default' });
  await settle();
  assert.deepEqual([await nodeOf('beside'), await going('beside')], ['a', undefined]);
  answers.shift()?.(failed('no disk'));
  await settle();
  assert.equal(await going('slow'), undefined);
  await clock.advance(2000);
  await settle();
  assert.equal(await going('slow'), 'a');
  answers.shift()?.(undefined);
  await settle();
  assert.equal(await nodeOf('slow'), 'a');
});
