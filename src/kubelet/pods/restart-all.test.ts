import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeKubelet, testContainer, testPod } from '../fake-kubelet.ts';

const restartPolicyRules = [
  { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } },
];

test('a container that ends with a code of its rule restarts the whole pod in its sandbox', async (context) => {
  const kubelet = await startFakeKubelet();
  context.after(() => kubelet.close());
  const { create, cri, until, pass, phase, stored } = kubelet;
  await create(
    testPod('p', {
      restartPolicy: 'Never',
      initContainers: [testContainer('init')],
      containers: [testContainer('source', { restartPolicyRules }), testContainer('other')],
    }),
  );
  const runs = (name: string): number =>
    cri.calls.filter((call) => call === `StartContainer ${name}`).length;
  await until('init', () => runs('init') === 1);
  cri.exit('init', 0);
  await pass(2000);
  await until('running', () => phase('p') === 'Running');
  cri.calls.length = 0;
  const phases = new Set<string | undefined>();
  cri.exit('source', 42);
  await pass(3000, 50);
  await until('init again', () => runs('init') === 1);
  phases.add(phase('p'));
  assert.deepEqual(cri.calls, [
    'StopContainer other 2s',
    'RemoveContainer other',
    'RemoveContainer init',
    'RemoveContainer source',
    'CreateContainer init',
    'StartContainer init',
  ]);
  const status = stored('p')?.status;
  for (const one of status?.containerStatuses ?? []) {
    assert.equal(one.restartCount, 1, one.name);
    assert.equal(one.lastState?.terminated?.reason, 'RestartingAllContainers');
    assert.equal(one.lastState?.terminated?.exitCode, 137);
  }
  cri.exit('init', 0);
  await pass(2000);
  await until(
    'ready',
    () => stored('p')?.status?.containerStatuses?.every(({ ready }) => ready) === true,
  );
  assert.deepEqual([...phases, phase('p')], ['Running', 'Running']);
  const condition = stored('p')?.status?.conditions?.find(
    ({ type }) => type === 'AllContainersRestarting',
  );
  assert.equal(condition?.status, 'False');
  assert.equal(cri.sandboxes.size, 1);
});

test('a pod that keeps asking for its restart backs off', async (context) => {
  const kubelet = await startFakeKubelet();
  context.after(() => kubelet.close());
  const { create, cri, until, pass, phase } = kubelet;
  const containers = [testContainer('c', { restartPolicyRules })];
  await create(testPod('p', { restartPolicy: 'Never', containers }));
  await until('running', () => phase('p') === 'Running');
  const runs = (): number => cri.calls.filter((call) => call === 'StartContainer c').length;
  cri.exit('c', 42);
  await pass(2000);
  assert.equal(runs(), 2);
  cri.exit('c', 42);
  await pass(8000);
  assert.equal(runs(), 2);
  await pass(4000);
  assert.equal(runs(), 3);
});
