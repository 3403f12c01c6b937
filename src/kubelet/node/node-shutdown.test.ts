import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Node } from '#schema/types.ts';
import { startFakeKubelet, testPod } from '../fake-kubelet.ts';
import { groupByPriority } from './node-shutdown.ts';

test('a shutdown ends regular pods first, critical ones after them, and takes no more', async (context) => {
  const kubelet = await startFakeKubelet({
    config: {
      shutdownPeriods: [
        { priority: 0, periodMs: 20_000 },
        { priority: 2_000_000_000, periodMs: 10_000 },
      ],
    },
  });
  context.after(() => kubelet.close());
  const { create, cri, client, until, phase, pass, stored } = kubelet;
  await create(testPod('regular'));
  await create(testPod('critical', { priority: 2_000_000_000, terminationGracePeriodSeconds: 5 }));
  await until('running', () => phase('regular') === 'Running' && phase('critical') === 'Running');
  cri.calls.length = 0;
  const over = kubelet.kubelet.shutDown();
  await pass(2000);
  await over;
  const stops = cri.calls.filter((call) => call.startsWith('Stop'));
  assert.deepEqual(stops, [
    'StopContainer c 20s',
    'StopPodSandbox regular',
    'StopContainer c 5s',
    'StopPodSandbox critical',
  ]);
  await until('failed', () => phase('regular') === 'Failed' && phase('critical') === 'Failed');
  const status = stored('regular')?.status;
  assert.equal(status?.reason, 'Terminated');
  assert.equal(status?.message, 'Pod was terminated in response to imminent node shutdown.');
  const target = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  assert.deepEqual([target?.status, target?.reason], ['True', 'TerminationByKubelet']);
  await create(testPod('late'));
  await until('rejected', () => phase('late') === 'Failed');
  assert.equal(stored('late')?.status?.reason, 'NodeShutdown');
  const node = client.stored<Node>(resources.nodes, 'node-1');
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  assert.deepEqual([ready?.status, ready?.message], ['False', 'node is shutting down']);
});

test('pods are in the group with the highest priority not above their own', () => {
  const periods = [100, 0, 1000].map((priority) => ({ priority, periodMs: priority }));
  const pods = [-5, 0, 99, 100, 5000].map((priority) => testPod(`p${priority}`, { priority }));
  const groups = groupByPriority(pods, periods).map((group) => [
    group.periodMs,
    group.pods.map(({ metadata }) => metadata.name),
  ]);
  assert.deepEqual(groups, [
    [0, ['p-5', 'p0', 'p99']],
    [100, ['p100']],
    [1000, ['p5000']],
  ]);
});
