import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client, RawRequest, RawResponse } from '#client/mod.ts';
import { createMetricsClient } from './metrics-client.ts';

/** Metrics APIs with these answers, by path; a text is an answer of 404. */
function clientOf(answers: Readonly<Record<string, object>>): {
  client: Client;
  asked: string[];
} {
  const asked: string[] = [];
  const raw = async ({ path }: RawRequest): Promise<RawResponse> => {
    asked.push(path);
    const answer = answers[path];
    const body = Buffer.from(answer === undefined ? 'not found' : JSON.stringify(answer));
    return { status: answer === undefined ? 404 : 200, headers: {}, body };
  };
  return { client: { raw } as unknown as Client, asked };
}

const usage = (cpu: string): object => ({ cpu, memory: '1Mi' });
const times = { timestamp: '2026-01-01T00:00:00Z', window: '1m15.5s' };
const pods = '/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?labelSelector=app%3Dweb';

test('usage of pods is summed up over containers, in thousandths', async () => {
  const items = [
    {
      metadata: { name: 'a' },
      ...times,
      containers: [
        { name: 'c', usage: usage('1500u') },
        { name: 'd', usage: usage('1') },
      ],
    },
    { metadata: { name: 'half' }, ...times, containers: [{ name: 'c', usage: {} }] },
  ];
  const { client } = clientOf({ [pods]: { items } });
  const metrics = createMetricsClient(client);
  const query = { resource: 'cpu', namespace: 'shop', selector: 'app=web' };
  const all = await metrics.resource(query);
  const atMs = Date.parse('2026-01-01T00:00:00Z');
  assert.deepEqual([...all], [['a', { value: 1002, atMs, windowMs: 75_500 }]]);
  const one = await metrics.resource({ ...query, container: 'c' });
  assert.equal(one.get('a')?.value, 2);
  await assert.rejects(metrics.resource({ ...query, container: 'x' }), {
    message: 'container x not present in metrics for pod shop/a',
  });
});

test('custom metrics are asked for in the version that there is', async () => {
  const path =
    'namespaces/shop/pods/*/queue?labelSelector=app%3Dweb&metricLabelSelector=kind%3Dhot';
  const { client, asked } = clientOf({
    [`/apis/custom.metrics.k8s.io/v1beta1/${path}`]: {
      items: [{ describedObject: { name: 'a' }, value: '7', timestamp: times.timestamp }],
    },
    '/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/services/web/hits': {
      items: [{ value: '250m' }],
    },
    '/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/metrics/load': { items: [{ value: '3' }] },
  });
  const metrics = createMetricsClient(client);
  const found = await metrics.pods({
    metric: 'queue',
    namespace: 'shop',
    selector: 'app=web',
    metricSelector: 'kind=hot',
  });
  assert.equal(found.get('a')?.value, 7000);
  assert.equal(found.get('a')?.windowMs, 60_000);
  assert.equal(asked.length, 2);
  const object = { namespace: 'shop', metricSelector: '' };
  const hits = { ...object, metric: 'hits', resource: 'services', name: 'web' };
  assert.equal(await metrics.object(hits), 250);
  const load = { ...object, metric: 'load', resource: 'namespaces', name: 'shop' };
  assert.equal(await metrics.object(load), 3000);
});

test('external metrics are a list, and nothing is an error', async () => {
  const root = '/apis/external.metrics.k8s.io/v1beta1/namespaces/shop';
  const { client } = clientOf({
    [`${root}/depth`]: { items: [{ value: '1' }, { value: '2k' }] },
    [`${root}/none`]: { items: [] },
  });
  const metrics = createMetricsClient(client);
  const query = { namespace: 'shop', selector: '' };
  assert.deepEqual(await metrics.external({ ...query, metric: 'depth' }), [1000, 2_000_000]);
  await assert.rejects(metrics.external({ ...query, metric: 'none' }), {
    message: 'no metrics returned from external metrics API',
  });
  await assert.rejects(metrics.external({ ...query, metric: 'gone' }), {
    message:
      'unable to fetch metrics from external metrics API: the server could not find the requested resource (get gone.external.metrics.k8s.io)',
  });
});
