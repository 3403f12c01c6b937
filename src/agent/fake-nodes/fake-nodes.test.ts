import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { Lease, Node, Pod } from '#schema/types.ts';
import { fakeNode } from './fake-node.ts';
import { runFakeNodes } from './mod.ts';

const byName = (a: Node, b: Node): number => (a.metadata.name < b.metadata.name ? -1 : 1);

describe('fake nodes', () => {
  async function start(t: TestContext, count: number) {
    const clock = new FakeClock();
    const random = seededRandom(1);
    const client = createFakeClient({ clock, random });
    const stopper = new AbortController();
    const settle = async (ms = 100): Promise<void> => {
      for (let turn = 0; turn < 10; turn++) await clock.advance(ms / 10);
    };
    const common = { client, clock, random, log: silentLogger, signal: stopper.signal };
    const running = runFakeNodes({ ...common, count, version: 'v1' });
    t.after(async () => {
      stopper.abort();
      await running;
    });
    await settle();
    return { client, clock, settle };
  }
  const pod = (name: string, nodeName: string): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName, containers: [{ name: 'c', image: 'web' }] },
    status: { phase: 'Pending' },
  });

  it('register as ready nodes in zones and renew their leases', async (t) => {
    const { client, clock, settle } = await start(t, 4);
    const { items } = await client.list<Node>(resources.nodes);
    const zoneKey = 'topology.kubernetes.io/zone';
    assert.deepEqual(
      items.toSorted(byName).map(({ metadata }) => [metadata.name, metadata.labels?.[zoneKey]]),
      [
        ['fake-0', 'fake-0'],
        ['fake-1', 'fake-1'],
        ['fake-2', 'fake-2'],
        ['fake-3', 'fake-0'],
      ],
    );
    const ready = fakeNode(0, 'v1', 0).status?.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(ready?.status, 'True');
    const lease = async (): Promise<string | undefined> => {
      const options = { namespace: 'kube-node-lease' };
      return (await client.get<Lease>(resources.leases, 'fake-3', options)).spec?.renewTime;
    };
    const first = await lease();
    await settle(20_000);
    const second = await lease();
    assert.ok(Date.parse(second ?? '') > Date.parse(first ?? ''), `${first} ${second}`);
    assert.ok(clock.now() - Date.parse(second ?? '') <= 20_000);
  });

  it('let their pods run and remove the deleted ones, and leave others alone', async (t) => {
    const { client, settle } = await start(t, 2);
    const namespace = 'default';
    await client.create(resources.pods, pod('ours', 'fake-1'), { namespace });
    await client.create(resources.pods, pod('foreign', 'real'), { namespace });
    await settle();
    const ours = await client.get<Pod>(resources.pods, 'ours', { namespace });
    assert.equal(ours.status?.phase, 'Running');
    assert.equal(ours.status.containerStatuses?.[0]?.ready, true);
    const foreign = await client.get<Pod>(resources.pods, 'foreign', { namespace });
    assert.equal(foreign.status?.phase, 'Pending');
    await client.delete(resources.pods, 'ours', { namespace, gracePeriodSeconds: 30 });
    await settle();
    const left = await client.list<Pod>(resources.pods, { namespace });
    assert.deepEqual(
      left.items.map(({ metadata }) => metadata.name),
      ['foreign'],
    );
  });
});
