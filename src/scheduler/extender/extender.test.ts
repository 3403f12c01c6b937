import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import type { ExtenderConfiguration } from '../config/mod.ts';
import { createPodInfo } from '../framework/node-info.ts';
import type { Status } from '../framework/status.ts';
import { clusterOf, labelledPod, on, zoneNode } from '../plugins/plugin-bench.ts';
import { createExtender } from './extender.ts';
import { narrowVictims } from './narrow-victims.ts';

describe('extender', () => {
  /** The last question, and the answer that the service gives next. */
  let question: { path: string; body: Record<string, unknown> } = { path: '', body: {} };
  let answer: { code: number; body: unknown } = { code: 200, body: {} };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      question = { path: request.url ?? '', body: JSON.parse(body) as Record<string, unknown> };
      response.writeHead(answer.code).end(JSON.stringify(answer.body));
    });
  });
  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const configuration = (change: Partial<ExtenderConfiguration> = {}): ExtenderConfiguration => ({
    urlPrefix: `http://127.0.0.1:${(server.address() as AddressInfo).port}/e/`,
    filterVerb: 'filter',
    prioritizeVerb: 'score',
    preemptVerb: 'preempt',
    bindVerb: '',
    weight: 2,
    enableHTTPS: false,
    httpTimeoutMs: 5000,
    nodeCacheCapable: false,
    managedResources: [],
    ignorable: false,
    ...change,
  });
  const extender = (change?: Partial<ExtenderConfiguration>) =>
    createExtender(configuration(change), new FakeClock());
  const pod = labelledPod('p', {});
  const cluster = clusterOf([zoneNode('a'), zoneNode('b')], [on('a', labelledPod('low', {}))]);

  it('sends whole nodes, takes those that come back and the reasons for the others', async () => {
    answer = {
      code: 200,
      body: {
        nodes: { items: [{ metadata: { name: 'b' } }] },
        failedNodes: { a: 'too loud' },
        failedAndUnresolvableNodes: {},
      },
    };
    const statuses = new Map<string, Status>();
    const kept = await extender().filter(pod, cluster.nodes, statuses);
    assert.deepEqual(
      kept.map(({ name }) => name),
      ['b'],
    );
    assert.equal(statuses.get('a')?.code, 'Unschedulable');
    assert.deepEqual(statuses.get('a')?.reasons, ['too loud']);
    assert.equal(question.path, '/e/filter');
    assert.equal((question.body['Nodes'] as { items: unknown[] }).items.length, 2);
    assert.equal(question.body['NodeNames'], null);
  });

  it('refuses nodes that it was not asked about, errors and other codes', async () => {
    answer = { code: 200, body: { NodeNames: ['x'] } };
    const cached = extender({ nodeCacheCapable: true });
    await assert.rejects(cached.filter(pod, cluster.nodes, new Map()), {
      message: /claims a filtered node "x" which is not found in the input node list$/,
    });
    answer = { code: 200, body: { Error: 'no mood' } };
    await assert.rejects(cached.filter(pod, cluster.nodes, new Map()), { message: 'no mood' });
    answer = { code: 503, body: {} };
    await assert.rejects(cached.filter(pod, cluster.nodes, new Map()), {
      message: /^failed filter with extender at URL http:.*\/e\/filter, code 503$/,
    });
  });

  it('scores count with their weight on the scale of plugins', async () => {
    answer = { code: 200, body: [{ Host: 'a', Score: 3 }] };
    const scores = await extender().prioritize(pod, cluster.nodes);
    assert.deepEqual([...scores], [['a', 60]]);
  });

  it('is asked for pods of its resources only', () => {
    const one = extender({ managedResources: [{ name: 'x.io/y', ignoredByScheduler: true }] });
    assert.equal(one.isInterestedIn(pod), false);
    const resources = { limits: { 'x.io/y': '1' } };
    const wanting = labelledPod('q', {}, { containers: [{ name: 'c', resources }] });
    assert.equal(one.isInterestedIn(wanting), true);
    assert.equal(extender().isInterestedIn(pod), true);
  });

  it('says which nodes may be cleared, by the uids of their pods', async () => {
    const low = cluster.node('a')?.pods.get('default/low');
    assert.ok(low);
    const victim = createPodInfo({ ...low.pod, metadata: { ...low.pod.metadata, uid: 'u1' } });
    const snapshot = clusterOf([zoneNode('a')], [victim.pod]);
    const narrow = narrowVictims([extender({ nodeCacheCapable: true })], pod, snapshot);
    const victims = new Map([['a', { victims: [victim], budgetViolations: 1 }]]);
    answer = {
      code: 200,
      body: { NodeNameToMetaVictims: { a: { Pods: [{ UID: 'u1' }], NumPDBViolations: 1 } } },
    };
    const left = await narrow?.(victims);
    assert.equal(left?.get('a')?.victims[0]?.key, 'default/low');
    assert.deepEqual(question.body['NodeNameToMetaVictims'], {
      a: { Pods: [{ UID: 'u1' }], NumPDBViolations: 1 },
    });
    answer = { code: 200, body: { NodeNameToMetaVictims: { a: { Pods: [{ UID: 'u2' }] } } } };
    await assert.rejects(async () => await narrow?.(victims), {
      message: /claims to preempt pod \(UID: u2\) on node: a, but the pod is not found/,
    });
  });
});
