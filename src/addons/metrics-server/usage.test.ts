import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { resources } from '#client/mod.ts';
import { createMetricsApi } from './metrics-api.ts';
import type { ClusterReader, MetricsAnswer } from './metrics-api.ts';
import { parseResourceMetrics } from './resource-samples.ts';
import { createUsageStore } from './usage-store.ts';

/** A kubelet's answer: a node, and pod shop/web with a container each. */
function reading(atMs: number, nodeCpu: number, containers: Record<string, [number, number]>) {
  const rows = [
    '# HELP node_cpu_usage_seconds_total [STABLE] x',
    `node_cpu_usage_seconds_total ${nodeCpu} ${atMs}`,
    `node_memory_working_set_bytes 1048576 ${atMs}`,
    ...Object.entries(containers).flatMap(([name, [cpu, startSeconds]]) => {
      const labels = `{container="${name}",namespace="shop",pod="web"}`;
      return [
        `container_cpu_usage_seconds_total${labels} ${cpu} ${atMs}`,
        `container_memory_working_set_bytes${labels} 4096 ${atMs}`,
        `container_start_time_seconds${labels} ${startSeconds}`,
      ];
    }),
  ];
  return parseResourceMetrics(`${rows.join('\n')}\n`, 0);
}

test('usage is the difference of two readings over the time between them', () => {
  const store = createUsageStore();
  store.put('n1', reading(1_000_000, 100, { app: [5, 10] }));
  assert.equal(store.node('n1'), undefined);
  assert.equal(store.isKnown('n1'), false);
  assert.equal(store.pod('shop/web', 'n1'), undefined);
  store.put('n1', reading(1_010_000, 105, { app: [7.5, 10] }));
  assert.deepEqual(store.node('n1'), {
    endMs: 1_010_000,
    windowMs: 10_000,
    cores: 0.5,
    memoryBytes: 1_048_576,
  });
  assert.equal(store.pod('shop/web', 'n1')?.containers.get('app')?.cores, 0.25);
  // the same reading once more changes nothing
  store.put('n1', reading(1_010_000, 105, { app: [7.5, 10] }));
  assert.equal(store.node('n1')?.cores, 0.5);
  store.retain(new Set(['n1']), 1_020_000);
  assert.equal(store.node('n1'), undefined);
});

test('a container that was just started is measured from its start', () => {
  const store = createUsageStore();
  store.put('n1', reading(1_000_000, 100, { app: [2, 990] }));
  assert.deepEqual(store.pod('shop/web', 'n1')?.windowMs, 10_000);
  assert.equal(store.pod('shop/web', 'n1')?.containers.get('app')?.cores, 0.2);
  // started anew between two readings: the old numbers do not count
  store.put('n1', reading(1_015_000, 101, { app: [1, 1_005] }));
  assert.equal(store.pod('shop/web', 'n1')?.containers.get('app')?.cores, 0.1);
  // too young to say
  store.put('n1', reading(1_030_000, 101, { app: [1, 1_029] }));
  assert.equal(store.pod('shop/web', 'n1'), undefined);
});

test('a pod with a half-known container has no usage', () => {
  const text = [
    'container_cpu_usage_seconds_total{container="a",namespace="s",pod="p"} 1 1000',
    'container_memory_working_set_bytes{container="a",namespace="s",pod="p"} 1 1000',
    'container_cpu_usage_seconds_total{container="b",namespace="s",pod="p"} 1 1000',
    'nonsense {',
  ].join('\n');
  const samples = parseResourceMetrics(text, 0);
  assert.equal(samples.pods.size, 0);
  assert.equal(samples.node, undefined);
});

function apiOf() {
  const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
  const store = createUsageStore();
  const pods = [
    {
      metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
      spec: { containers: [], nodeName: 'n1' },
      status: { phase: 'Running' },
    },
    {
      metadata: { name: 'done', namespace: 'shop' },
      spec: { containers: [], nodeName: 'n1' },
      status: { phase: 'Succeeded' },
    },
    {
      metadata: { name: 'new', namespace: 'shop' },
      spec: { containers: [], nodeName: 'n1' },
      status: { phase: 'Running' },
    },
  ];
  const nodes = [{ metadata: { name: 'n1' } }, { metadata: { name: 'n2' } }];
  const all = (resource: string): readonly { metadata: { name: string } }[] =>
    resource === resources.pods.resource ? pods : nodes;
  const reader = {
    get: ({ resource }: { resource: string }, _namespace: string, name: string) =>
      all(resource).find(({ metadata }) => metadata.name === name),
    list: ({ resource }: { resource: string }) => all(resource),
  } as unknown as ClusterReader;
  store.put('n1', reading(1_000_000, 100, { app: [5, 10], side: [1, 10] }));
  store.put('n1', reading(1_010_000, 105, { app: [7.5, 10], side: [1.00001, 10] }));
  const handle = createMetricsApi({ reader, store, clock });
  const ask = (path: string, query = '', accept = ''): MetricsAnswer => {
    const [resource = '', name = ''] = path.split('/');
    const verb = name === '' ? 'list' : name === '*' ? 'watch' : 'get';
    const info = { isResourceRequest: true, verb, resource, subresource: '', namespace: '', name };
    return handle({
      context: {
        info: { ...info, namespace: resource === 'pods' ? 'shop' : '' },
        query: new URLSearchParams(query),
      },
      headers: { accept },
    });
  };
  return ask;
}

test('a pod is shown with the quantities and the window of its containers', () => {
  assert.deepEqual(apiOf()('pods/web')?.body, {
    kind: 'PodMetrics',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: {
      name: 'web',
      namespace: 'shop',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web' },
    },
    timestamp: '1970-01-01T00:16:50Z',
    window: '10s',
    containers: [
      { name: 'app', usage: { cpu: '250m', memory: '4Ki' } },
      { name: 'side', usage: { cpu: '1u', memory: '4Ki' } },
    ],
  });
});

test('lists hold what is known and is selected', () => {
  const ask = apiOf();
  const names = (path: string, query = ''): unknown => {
    const body = ask(path, query)?.body as { items: { metadata: { name: string } }[] } | undefined;
    return body?.items.map(({ metadata }) => metadata.name);
  };
  assert.deepEqual(names('pods'), ['web']);
  assert.deepEqual(names('pods', 'labelSelector=app=web'), ['web']);
  assert.deepEqual(names('pods', 'labelSelector=app!=web'), []);
  assert.deepEqual(names('pods', 'fieldSelector=metadata.name=other'), []);
  assert.deepEqual(names('nodes'), ['n1']);
});

test('tables sum up containers', () => {
  const table = apiOf()('pods', '', 'application/json;as=Table;v=v1;g=meta.k8s.io')?.body as {
    columnDefinitions: { name: string }[];
    rows: { cells: string[] }[];
  };
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'cpu', 'memory', 'Window'],
  );
  assert.deepEqual(table.rows[0]?.cells, ['web', '250001u', '8Ki', '10s']);
});

for (const [path, message, httpCode] of [
  ['pods/none', 'pods "none" not found', 404],
  ['pods/done', 'pods "done" not found', 404],
  ['pods/new', 'podmetrics.metrics.k8s.io "shop/new" not found', 404],
  ['nodes/none', 'nodes "none" not found', 404],
  ['nodes/n2', 'nodemetrics.metrics.k8s.io "n2" not found', 404],
  ['pods/*', 'the server does not allow this method on the requested resource', 405],
] as const) {
  test(`${path} is refused with ${httpCode}`, () => {
    assert.throws(() => apiOf()(path), { message, httpCode });
  });
}

test('a question for a new pod asks for another look', () => {
  const store = createUsageStore();
  assert.equal(store.takeWanted(), false);
  const clock = new FakeClock(Date.parse('2026-01-01T00:01:00Z'));
  const pod = (startTime: string) => ({
    metadata: { name: 'p', namespace: 'shop' },
    status: { phase: 'Running', startTime },
  });
  const wants = (startTime: string): boolean => {
    const reader = {
      get: () => undefined,
      list: () => [pod(startTime)],
    } as unknown as ClusterReader;
    const info = { isResourceRequest: true, verb: 'list', resource: 'pods', subresource: '' };
    createMetricsApi({ reader, store, clock })({
      context: { info: { ...info, namespace: 'shop', name: '' }, query: new URLSearchParams() },
      headers: {},
    });
    return store.takeWanted();
  };
  assert.equal(wants('2026-01-01T00:00:30Z'), true);
  assert.equal(wants('2025-12-31T23:00:00Z'), false);
});
