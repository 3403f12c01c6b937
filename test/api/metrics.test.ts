import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';

import { formatTime, systemClock } from '#base/clock.ts';
import { playUsage } from './play-usage.ts';
import type { PlayedNode } from './play-usage.ts';
import { startTestApi } from './server.ts';
import type { TestApi } from './server.ts';

const root = '/apis/metrics.k8s.io/v1beta1';

async function runPod(api: TestApi, name: string, labels: object): Promise<void> {
  const path = '/api/v1/namespaces/default/pods';
  const containers = [
    { name: 'app', image: 'x' },
    { name: 'side', image: 'x' },
  ];
  const pod = { metadata: { name, labels }, spec: { containers, nodeName: 'n1' } };
  const created = await api.request('POST', path, { body: pod });
  assert.equal(created.status, 201, created.text);
  const patched = await api.request('PATCH', `${path}/${name}/status`, {
    body: { status: { phase: 'Running', startTime: formatTime(systemClock.now()) } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  });
  assert.equal(patched.status, 200, patched.text);
}

suite('the metrics API', () => {
  let api: TestApi;
  let node: PlayedNode;
  before(async () => {
    api = await startTestApi();
    await api.until('/api/v1/namespaces/default/serviceaccounts/default', (a) => a.status === 200);
    node = await playUsage(api, 'n1');
    node.usage.set('default/web/app', { cores: 0.25, memoryBytes: 64 * 2 ** 20 });
    node.usage.set('default/web/side', { cores: 0.01, memoryBytes: 6 * 2 ** 20 });
    await runPod(api, 'web', { app: 'web' });
    await runPod(api, 'quiet', { app: 'quiet' });
    await api.until(`${root}/namespaces/default/pods/web`, (answer) => answer.status === 200);
  });
  after(async () => {
    await node.close();
    await api.close();
  });

  test('kubectl top shows nodes, pods and containers', async () => {
    const top = async (...args: string[]): Promise<string[][]> => {
      const { code, stdout, stderr } = await api.kubectl(['top', ...args]);
      assert.equal(code, 0, stderr);
      return stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/));
    };
    const nodes = await top('nodes');
    assert.deepEqual(nodes[0]?.slice(0, 3), ['NAME', 'CPU(cores)', 'CPU(%)']);
    assert.equal(nodes[1]?.[0], 'n1');
    const milli = Number.parseInt(nodes[1]?.[1] ?? '', 10);
    assert.ok(milli >= 950 && milli <= 1050, `one core: ${milli}`);
    assert.equal(nodes[1]?.[3], '1024Mi');
    const pods = await top('pods');
    assert.deepEqual(pods.slice(1), [['web', pods[1]?.[1] ?? '', '70Mi']]);
    const containers = await top('pods', '--containers', '-l', 'app=web');
    assert.deepEqual(
      containers.slice(1).map(([pod, name, , memory]) => [pod, name, memory]),
      [
        ['web', 'app', '64Mi'],
        ['web', 'side', '6Mi'],
      ],
    );
  });

  test('it is registered, discovered and readable for viewers of a namespace', async () => {
    const service = await api.request(
      'GET',
      '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io',
    );
    assert.equal(service.at('status.conditions.0.reason'), 'Local');
    const { stdout } = await api.kubectl(['api-resources', '--api-group=metrics.k8s.io']);
    assert.match(stdout, /nodes\s+metrics.k8s.io\/v1beta1\s+false\s+NodeMetrics/);
    assert.match(stdout, /pods\s+metrics.k8s.io\/v1beta1\s+true\s+PodMetrics/);
    const viewer = await api.identity('ann');
    const pods = `${root}/namespaces/default/pods`;
    assert.equal((await api.request('GET', pods, { as: viewer })).status, 403);
    await api.kubectl(['create', 'rolebinding', 'ann', '--clusterrole=view', '--user=ann']);
    for (let tries = 0; ; tries += 1) {
      const answer = await api.request('GET', pods, { as: viewer });
      if (answer.status === 200) break;
      assert.ok(tries < 1200, answer.text);
      await systemClock.sleep(50);
    }
  });

  test('get prints the table, and what is not known is not found', async () => {
    const { stdout } = await api.kubectl(['get', 'pods.metrics.k8s.io']);
    assert.match(stdout, /^NAME\s+CPU\s+MEMORY\s+WINDOW\nweb\s+\d+\w\s+70Mi\s+\d/);
    const missing = await api.request('GET', `${root}/namespaces/default/pods/quiet`);
    assert.equal(missing.status, 404);
    assert.equal(missing.at('message'), 'podmetrics.metrics.k8s.io "default/quiet" not found');
    assert.equal((await api.request('GET', `${root}/namespaces/default/cats`)).status, 404);
    assert.equal((await api.request('DELETE', `${root}/nodes/n1`)).status, 405);
  });
});

test('--disable metrics-server leaves it out', async () => {
  const api = await startTestApi({ disabled: new Set(['coredns', 'metrics-server']) });
  try {
    assert.equal((await api.request('GET', `${root}/nodes`)).status, 404);
    const { code, stderr } = await api.kubectl(['top', 'nodes']);
    assert.equal(code, 1);
    assert.match(stderr, /Metrics API not available/);
  } finally {
    await api.close();
  }
});
