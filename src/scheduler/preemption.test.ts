import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createEventRecorder, createInformerFactory, resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { CoreV1Event, Node, Pod, PodDisruptionBudget, PodSpec } from '#schema/types.ts';
import { createInformerLookups } from './informer-lookups.ts';
import { startScheduler } from './scheduler.ts';

const namespace = 'default';
const node = (name: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } },
});
const pod = (name: string, cpu: string, priority: number, change: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, uid: `uid-${name}`, labels: { app: name } },
  spec: {
    priority,
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'c', image: 'web', resources: { requests: { cpu } } }],
    ...change,
  },
});

describe('preemption', () => {
  async function start(t: TestContext, placed: readonly Pod[], nodes: readonly string[]) {
    const clock = new FakeClock();
    const random = seededRandom(1);
    const client = createFakeClient({ clock, random });
    const stopper = new AbortController();
    t.after(() => stopper.abort());
    const common = { client, clock, random, log: silentLogger, signal: stopper.signal };
    for (const name of nodes) client.add(node(name));
    for (const one of placed) client.add(one);
    const informers = createInformerFactory(common);
    startScheduler({
      ...common,
      pods: informers.informer<Pod>(resources.pods),
      nodes: informers.informer<Node>(resources.nodes),
      lookups: createInformerLookups(informers),
      events: createEventRecorder({ ...common, component: 'default-scheduler' }),
    });
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) await clock.advance(200);
    };
    informers.start();
    await informers.synced();
    await settle();
    const get = (name: string): Promise<Pod> =>
      client.get<Pod>(resources.pods, name, { namespace });
    const names = async (): Promise<string[]> =>
      (await client.list<Pod>(resources.pods, { namespace })).items.map((one) => one.metadata.name);
    const create = async (one: Pod): Promise<void> => {
      await client.create(resources.pods, one, { namespace });
      await settle();
    };
    return { client, create, get, names, settle };
  }
  const onNode = (nodeName: string, one: Pod): Pod => ({
    ...one,
    spec: { ...(one.spec as PodSpec), nodeName },
  });

  it('makes room where the least important pods are, and takes it', async (t) => {
    const placed = [
      onNode('a', pod('a1', '900m', 50)),
      onNode('b', pod('b1', '500m', 10)),
      onNode('b', pod('b2', '400m', 20)),
    ];
    const { client, create, get, names } = await start(t, placed, ['a', 'b']);
    await create(pod('high', '500m', 100));
    assert.equal((await get('high')).spec?.nodeName, 'b');
    assert.deepEqual((await names()).toSorted(), ['a1', 'b2', 'high']);
    const { items } = await client.list<CoreV1Event>(resources.events, { namespace });
    const preempted = items.find(({ reason }) => reason === 'Preempted');
    const { uid } = (await get('high')).metadata;
    assert.equal(preempted?.message, `Preempted by pod ${uid} on node b`);
    assert.equal(preempted.involvedObject.name, 'b1');
  });

  it('spares pods that a budget protects when it can', async (t) => {
    const budget: PodDisruptionBudget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'keep', namespace },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'a1' } } },
      status: { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0, expectedPods: 1 },
    };
    const placed = [onNode('a', pod('a1', '900m', 1)), onNode('b', pod('b1', '900m', 50))];
    const { client, create, get, settle } = await start(t, placed, ['a', 'b']);
    client.add(budget);
    await settle();
    await create(pod('high', '500m', 100));
    assert.equal((await get('high')).spec?.nodeName, 'b');
    assert.equal((await get('a1')).metadata.name, 'a1');
  });

  it('leaves pods of the same priority alone, and says so', async (t) => {
    const { create, get } = await start(t, [onNode('a', pod('a1', '900m', 100))], ['a']);
    await create(pod('high', '500m', 100));
    const condition = (await get('high')).status?.conditions?.[0];
    assert.equal(
      condition?.message,
      '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, ' +
        'preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    );
  });

  it('does not preempt for a pod that must not', async (t) => {
    const { create, get, names } = await start(t, [onNode('a', pod('a1', '900m', 1))], ['a']);
    await create(pod('high', '500m', 100, { preemptionPolicy: 'Never' }));
    assert.deepEqual((await names()).toSorted(), ['a1', 'high']);
    assert.equal(
      (await get('high')).status?.conditions?.[0]?.message,
      '0/1 nodes are available: 1 Insufficient cpu. ' +
        'no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.',
    );
  });

  it('is no help where the node itself does not suit', async (t) => {
    const { create, get, names } = await start(t, [onNode('a', pod('a1', '900m', 1))], ['a']);
    await create(pod('high', '500m', 100, { nodeSelector: { disk: 'ssd' } }));
    assert.deepEqual((await names()).toSorted(), ['a1', 'high']);
    assert.equal(
      (await get('high')).status?.conditions?.[0]?.message,
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. " +
        'no new claims to deallocate, ' +
        'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    );
  });

  it('keeps the room for the pod it was made for', async (t) => {
    const leaving = onNode('a', pod('a1', '900m', 1));
    leaving.metadata.finalizers = ['example.com/slow'];
    const { create, get, settle, client } = await start(t, [leaving], ['a']);
    await create(pod('high', '500m', 100));
    assert.equal((await get('high')).status?.nominatedNodeName, 'a');
    assert.equal((await get('high')).spec?.nodeName, undefined);
    await create(pod('low', '600m', 50));
    assert.equal((await get('low')).spec?.nodeName, undefined);
    const patch = { type: 'merge', body: { metadata: { finalizers: null } } } as const;
    await client.patch(resources.pods, 'a1', patch, { namespace });
    for (let turn = 0; turn < 10; turn++) await settle();
    assert.equal((await get('high')).spec?.nodeName, 'a');
    assert.equal((await get('low')).spec?.nodeName, undefined);
  });

  it('takes the promise back of a less important pod on the node', async (t) => {
    const leaving = onNode('a', pod('a1', '900m', 1));
    leaving.metadata.finalizers = ['example.com/slow'];
    const { create, get } = await start(t, [leaving], ['a']);
    await create(pod('middle', '900m', 50));
    assert.equal((await get('middle')).status?.nominatedNodeName, 'a');
    await create(pod('high', '900m', 100));
    assert.equal((await get('high')).status?.nominatedNodeName, 'a');
    assert.equal((await get('middle')).status?.nominatedNodeName, undefined);
  });
});
