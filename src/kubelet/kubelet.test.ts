import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '#base/eventually.ts';
import { resources } from '#client/mod.ts';
import { CriError, grpcCodes } from './cri/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { startFakeKubelet, testContainer, testPod } from './fake-kubelet.ts';

async function started(context: TestContext, options?: Parameters<typeof startFakeKubelet>[0]) {
  const kubelet = await startFakeKubelet(options);
  context.after(() => kubelet.close());
  return kubelet;
}

test('registers the node and reports it ready', async (context) => {
  const { client } = await started(context, {
    config: { nodeLabels: { team: 'a' }, nodeTaints: [{ key: 'k', effect: 'NoSchedule' }] },
  });
  const node = client.stored<Node>(resources.nodes, 'node-1');
  assert.equal(node?.metadata.labels?.['kubernetes.io/hostname'], 'node-1');
  assert.equal(node?.metadata.labels?.['team'], 'a');
  assert.deepEqual(node?.spec?.taints, [{ key: 'k', effect: 'NoSchedule' }]);
});

test('runs a pod and reports it with its address', async (context) => {
  const { create, cri, until, phase, stored } = await started(context);
  await create(testPod('p'));
  await until('running', () => phase('p') === 'Running');
  assert.deepEqual(cri.calls, ['RunPodSandbox p', 'CreateContainer c', 'StartContainer c']);
  const status = stored('p')?.status;
  assert.equal(status?.podIP, '10.42.0.1');
  assert.equal(status?.hostIP, '10.0.0.1');
  const conditions = status?.conditions?.map(({ type, status: value }) => `${type}=${value}`);
  assert.deepEqual(conditions, [
    'PodReadyToStartContainers=True',
    'Initialized=True',
    'Ready=True',
    'ContainersReady=True',
    'PodScheduled=True',
  ]);
});

test('goes on until the signal is aborted, also while somebody awaits its end', async (context) => {
  const { create, kubelet, until, phase } = await started(context);
  let isDone = false;
  const done = kubelet.done().then(() => (isDone = true));
  await create(testPod('p'));
  await until('running', () => phase('p') === 'Running');
  assert.equal(isDone, false);
  context.after(() => done);
});

test('deletes a pod in upstream order: containers, sandbox, volumes and cgroup, object', async (context) => {
  const { create, cri, until, phase, stored, order, delete: remove } = await started(context);
  await create(testPod('p', { terminationGracePeriodSeconds: 7 }));
  await until('running', () => phase('p') === 'Running');
  const uid = stored('p')?.metadata.uid ?? '';
  cri.calls.length = 0;
  await remove('p', 7);
  await until('gone', () => stored('p') === undefined);
  await until('removed', () => cri.sandboxes.size === 0);
  assert.deepEqual(cri.calls, [
    'StopContainer c 7s',
    'StopPodSandbox p',
    'RemoveContainer c',
    'RemovePodSandbox p',
  ]);
  assert.deepEqual(order, [`unmount ${uid}`, `remove cgroup ${uid}`]);
});

test('init containers run one by one, sidecars stay and stop last', async (context) => {
  const { create, cri, until, phase, delete: remove, stored, pass } = await started(context);
  await create(
    testPod('p', {
      initContainers: [
        testContainer('first'),
        testContainer('side', { restartPolicy: 'Always' }),
        testContainer('second'),
      ],
    }),
  );
  const calls = (name: string) => cri.calls.includes(`StartContainer ${name}`);
  await until('first', () => calls('first'));
  assert.equal(stored('p')?.status?.phase, 'Pending');
  cri.exit('first', 0);
  await pass(2000);
  assert.ok(calls('side') && calls('second') && !calls('c'));
  cri.exit('second', 0);
  await pass(2000);
  await until('running', () => phase('p') === 'Running');
  cri.calls.length = 0;
  await remove('p');
  await until('gone', () => stored('p') === undefined);
  const stops = cri.calls.filter((call) => call.startsWith('Stop'));
  assert.deepEqual(stops, ['StopContainer c 30s', 'StopContainer side 30s', 'StopPodSandbox p']);
});

test('sidecars that cannot be stopped are stopped in another try', async (context) => {
  const { create, cri, until, phase, delete: remove, stored, pass } = await started(context);
  const initContainers = ['first', 'second'].map((name) =>
    testContainer(name, { restartPolicy: 'Always' }),
  );
  await create(testPod('p', { initContainers }));
  await pass(4000);
  await until('running', () => phase('p') === 'Running');
  const uid = stored('p')?.metadata.uid;
  cri.fail('StopContainer', new Error('the runtime is away'));
  await remove('p');
  await pass(2000);
  assert.equal(stored('p')?.metadata.uid, uid);
  cri.fail('StopContainer', undefined);
  await pass(20_000);
  await until('gone', () => stored('p') === undefined);
});

test('a failed init container fails a pod that never restarts', async (context) => {
  const { create, cri, until, phase, pass, stored } = await started(context);
  const initContainers = [testContainer('init')];
  await create(testPod('p', { restartPolicy: 'Never', initContainers }));
  await until('init', () => cri.calls.includes('StartContainer init'));
  cri.exit('init', 1);
  await pass(2000);
  await until('failed', () => phase('p') === 'Failed');
  assert.ok(!cri.calls.includes('StartContainer c'));
  assert.equal(stored('p')?.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 1);
});

test('crashes are restarted after 0, 10, 20, 40 s, and at once again after ten good minutes', async (context) => {
  const { create, cri, until, phase, pass, waiting, clock, stored, events } =
    await started(context);
  await create(testPod('p'));
  await until('running', () => phase('p') === 'Running');
  const uid = stored('p')?.metadata.uid;
  const starts = (): number => cri.calls.filter((call) => call === 'StartContainer c').length;
  const restartDelaySeconds = async (): Promise<number> => {
    const before = starts();
    cri.exit('c', 1);
    const startMs = clock.now();
    await eventually(
      'the restart',
      () => starts() > before,
      () => pass(500, 250),
    );
    return Math.floor((clock.now() - startMs) / 1000);
  };
  const texts: (string | undefined)[] = [];
  for (const expected of [0, 10, 20, 40]) {
    const delay = await restartDelaySeconds();
    assert.ok(Math.abs(delay - expected) <= 1, `${delay} s instead of ${expected} s`);
    await pass(250);
    const last = stored('p')?.status?.containerStatuses?.[0];
    assert.equal(last?.state?.running !== undefined, true);
  }
  cri.exit('c', 1);
  await pass(5000);
  texts.push(waiting('p')?.message);
  assert.deepEqual(texts, [`back-off 1m20s restarting failed container=c pod=p_default(${uid})`]);
  assert.equal(waiting('p')?.reason, 'CrashLoopBackOff');
  assert.ok(
    events().includes(`BackOff: Back-off restarting failed container c in pod p_default(${uid})`),
  );
  await eventually(
    'the sixth start',
    () => starts() >= 6,
    () => pass(1000, 1000),
  );
  await pass(601_000, 10_000);
  assert.ok((await restartDelaySeconds()) <= 1);
});

test('a pull that fails backs off with upstream texts', async (context) => {
  const { create, cri, until, waiting, pass, phase, events } = await started(context);
  cri.fail('PullImage', new Error('no such host'));
  await create(testPod('p', { containers: [testContainer('c', { image: 'absent' })] }));
  await until('error', () => waiting('p')?.reason === 'ErrImagePull');
  await pass(11_000);
  cri.calls.length = 0;
  await until('back-off', () => waiting('p') !== undefined);
  assert.match(events().join('\n'), /Failed: Failed to pull image "absent": no such host/);
  cri.fail('PullImage', undefined);
  await pass(40_000);
  await until('running', () => phase('p') === 'Running');
});

test('a pod that does not fit is rejected with the resource and the numbers', async (context) => {
  const { create, until, phase, stored, cri, events } = await started(context);
  const containers = [testContainer('c', { resources: { requests: { cpu: '3' } } })];
  await create(testPod('p', { containers }));
  await until('failed', () => phase('p') === 'Failed');
  const { reason, message, conditions = [] } = stored('p')?.status ?? {};
  const unready = conditions.map((one) => `${one.type}=${one.status} ${one.reason}`);
  assert.deepEqual(unready, ['Ready=False PodFailed', 'ContainersReady=False PodFailed']);
  const text = "Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000";
  assert.equal(reason, 'OutOfcpu');
  assert.equal(message, `Pod was rejected: ${text}`);
  assert.ok(events().includes(`OutOfcpu: ${text}`));
  assert.deepEqual(cri.calls, []);
});

test('a pod deleted by force takes no room while it ends', async (context) => {
  const { create, until, phase, client, cri } = await started(context);
  const limits = { cpu: '2' };
  const big = { containers: [testContainer('c', { resources: { limits, requests: limits } })] };
  await create(testPod('first', big));
  await until('running', () => phase('first') === 'Running');
  const stopping = Promise.withResolvers<void>();
  cri.onStop = () => stopping.promise;
  client.remove(resources.pods, 'default/first');
  await create(testPod('second', big));
  await until('running', () => phase('second') === 'Running');
  stopping.resolve();
});

test('a failing liveness probe restarts the container, a readiness probe hides the pod', async (context) => {
  const { create, cri, until, phase, pass, stored, events } = await started(context);
  let isAlive = true;
  let isReady = false;
  cri.onExec = ([command]) => ({
    exitCode: (command === 'alive' ? isAlive : isReady) ? 0 : 1,
    output: 'no',
  });
  const probe = (command: string) => ({
    exec: { command: [command] },
    periodSeconds: 1,
    failureThreshold: 2,
  });
  const containers = [
    testContainer('c', { livenessProbe: probe('alive'), readinessProbe: probe('ready') }),
  ];
  await create(testPod('p', { containers }));
  await until('running', () => phase('p') === 'Running');
  const container = () => stored('p')?.status?.containerStatuses?.[0];
  await pass(2000);
  assert.equal(container()?.ready, false);
  isReady = true;
  await pass(2000);
  assert.equal(container()?.ready, true);
  isAlive = false;
  await pass(3000);
  isAlive = true;
  await pass(3000);
  assert.equal(container()?.restartCount, 1);
  assert.ok(events().includes('Killing: Container c failed liveness probe, will be restarted'));
  assert.ok(events().includes('Unhealthy: Liveness probe failed: no'));
});

test('completed pods end as Succeeded with their termination message', async (context) => {
  const { create, cri, until, phase, pass, stored, terminationLogs, order } =
    await started(context);
  const containers = [
    testContainer('c', {
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    }),
  ];
  await create(testPod('p', { restartPolicy: 'OnFailure', containers }));
  await until('running', () => phase('p') === 'Running');
  terminationLogs.set(`/pods/${stored('p')?.metadata.uid}/c`, 'done');
  cri.exit('c', 0);
  await pass(2000);
  await until('succeeded', () => phase('p') === 'Succeeded');
  await until('cleaned', () => order.length === 2);
  const status = stored('p')?.status;
  assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.message, 'done');
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  assert.deepEqual([ready?.status, ready?.reason], ['False', 'PodCompleted']);
});

test('a pod over its deadline fails with the reason', async (context) => {
  const { create, until, phase, pass, stored } = await started(context);
  await create(testPod('p', { activeDeadlineSeconds: 5 }));
  await until('running', () => phase('p') === 'Running');
  await pass(6000);
  await until('failed', () => phase('p') === 'Failed');
  assert.equal(stored('p')?.status?.reason, 'DeadlineExceeded');
});

test('after a restart running pods are kept and unknown ones stopped', async (context) => {
  const first = await started(context);
  const { create, until, phase, cri, client, build, stored } = first;
  await create(testPod('kept'));
  await create(testPod('gone'));
  await until('running', () => phase('kept') === 'Running' && phase('gone') === 'Running');
  await first.close();
  client.remove(resources.pods, 'default/gone');
  cri.calls.length = 0;
  const stopping = new AbortController();
  const second = await build();
  void second.start(stopping.signal);
  context.after(async () => {
    stopping.abort();
    await second.done();
  });
  await until('orphan removed', () => cri.sandboxes.size === 1);
  assert.ok(cri.calls.every((call) => !call.startsWith('Start') && !call.startsWith('Run')));
  assert.equal(phase('kept'), 'Running');
  assert.equal(stored('kept')?.status?.containerStatuses?.[0]?.restartCount, 0);
});

for (const rpc of ['RunPodSandbox', 'CreateContainer']) {
  test(`a start that failed because the runtime was away goes on soon: ${rpc}`, async (context) => {
    const { create, cri, until, phase, pass } = await started(context);
    const grpcCode = grpcCodes.unavailable;
    cri.fail(rpc, new CriError({ rpc, grpcCode, details: 'connection refused' }));
    await create(testPod('p'));
    await until('tried', () => cri.calls.some((call) => call.startsWith(rpc)));
    cri.fail(rpc, undefined);
    await pass(2000);
    await until('running', () => phase('p') === 'Running');
  });
}

for (const rpc of ['CreateContainer', 'StartContainer']) {
  test(`nothing is started twice when an answer is lost: ${rpc}`, async (context) => {
    const { create, cri, until, phase, pass } = await started(context);
    const away = new CriError({ rpc, grpcCode: grpcCodes.unavailable, details: 'read ECONNRESET' });
    const lost = [`answer of ${rpc}`, 'ContainerStatus', 'ListContainers'];
    for (const call of lost) cri.fail(call, away);
    await create(testPod('p'));
    await until('tried', () => cri.calls.some((call) => call.startsWith(rpc)));
    // The runtime is back, and what it has was not looked at before the next try begins.
    for (const call of lost) cri.fail(call, undefined);
    await pass(3000);
    await until('running', () => phase('p') === 'Running');
    await pass(3000);
    const running = [...cri.containers.values()].filter((one) => one.state === 'CONTAINER_RUNNING');
    assert.equal(running.length, 1);
    const creates = cri.calls.filter((call) => call.startsWith('CreateContainer'));
    assert.equal(creates.length, rpc === 'StartContainer' ? 1 : 2);
  });
}

test('volumes are not mounted beside an attempt whose sandbox failed', async (context) => {
  let [count, atOnce, most] = [0, 0, 0];
  const onMount = async (signal: AbortSignal): Promise<void> => {
    [count, atOnce] = [count + 1, atOnce + 1];
    most = Math.max(most, atOnce);
    // The first one would take for ever.
    if (count === 1) await once(signal, 'abort');
    atOnce -= 1;
  };
  const { create, cri, until, phase, pass } = await started(context, { onMount });
  cri.fail('RunPodSandbox', new Error('no'));
  await create(testPod('p'));
  await until('tried', () => cri.calls.some((call) => call.startsWith('RunPodSandbox')));
  cri.fail('RunPodSandbox', undefined);
  await pass(16_000);
  await until('running', () => phase('p') === 'Running');
  assert.deepEqual([count, most], [2, 1]);
});

test('after a restart the sandboxes of completed pods are stopped once more', async (context) => {
  const first = await started(context);
  const { create, until, phase, pass, cri, build } = first;
  await create(testPod('p', { restartPolicy: 'Never' }));
  await until('running', () => phase('p') === 'Running');
  cri.exit('c', 0);
  await pass(2000);
  await until('succeeded', () => phase('p') === 'Succeeded');
  await first.close();
  // As if the kubelet had been killed while it stopped the sandbox, whose network is still there.
  cri.calls.length = 0;
  const stopping = new AbortController();
  const second = await build();
  void second.start(stopping.signal);
  context.after(async () => {
    stopping.abort();
    await second.done();
  });
  await until('stopped again', () => cri.calls.includes('StopPodSandbox p'));
  assert.equal(phase('p'), 'Succeeded');
});

test('what is left of a container ends before the next one starts', async (context) => {
  const { create, cri, until, phase, pass, order } = await started(context);
  await create(testPod('p'));
  await until('running', () => phase('p') === 'Running');
  assert.deepEqual(order, []);
  const [id] = cri.containers.keys();
  cri.exit('c', 1);
  await pass(1500, 250);
  await until(
    'restarted',
    () => cri.calls.filter((call) => call === 'StartContainer c').length === 2,
  );
  assert.deepEqual(order, [`remove cgroup of container ${id}`]);
});

test('a sandbox that died is replaced and its container restarted', async (context) => {
  const { create, cri, until, phase, pass, stored } = await started(context);
  await create(testPod('p'));
  await until('running', () => phase('p') === 'Running');
  const [id = ''] = cri.sandboxes.keys();
  await cri.runtime.stopPodSandbox(id);
  await pass(3000);
  const status = (): Pod['status'] => stored('p')?.status;
  await until('new address', () => status()?.podIP !== '10.42.0.1');
  assert.equal(status()?.containerStatuses?.[0]?.restartCount, 1);
});

test('a pod whose volumes cannot be mounted is not ready to start containers', async (context) => {
  const { create, cri, until, stored } = await started(context, {
    mount: 'configmap "x" not found',
  });
  await create(testPod('p', { volumes: [{ name: 'v', configMap: { name: 'x' } }] }));
  await until('sandbox', () => cri.calls.includes('RunPodSandbox p'));
  await until('status', () => stored('p')?.status?.conditions !== undefined);
  const ready = stored('p')?.status?.conditions?.find(
    ({ type }) => type === 'PodReadyToStartContainers',
  );
  assert.equal(ready?.status, 'False');
  assert.ok(!cri.calls.some((call) => call.startsWith('CreateContainer')));
});
