import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Container, Node, Pod, ResourceRequirements } from '#schema/types.ts';
import { startFakeKubelet, testContainer, testPod } from '../fake-kubelet.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import type { RuntimePod } from '../pods/runtime-pod.ts';
import { createAllocationStore } from './allocation-store.ts';
import { allocationOf } from './allocation.ts';
import { createPodResizes } from './pod-resizes.ts';
import { refuseResize } from './resize-decision.ts';

type Started = Awaited<ReturnType<typeof startFakeKubelet>>;

async function started(context: TestContext): Promise<Started> {
  const kubelet = await startFakeKubelet();
  context.after(() => kubelet.close());
  return kubelet;
}

function cpu(request: string, limit: string): ResourceRequirements {
  return { requests: { cpu: request, memory: '64Mi' }, limits: { cpu: limit, memory: '128Mi' } };
}

async function runPod(
  { create, until, phase }: Started,
  name: string,
  more: Partial<Container> = {},
): Promise<void> {
  await create(
    testPod(name, { containers: [testContainer('c', { resources: cpu('500m', '1'), ...more })] }),
  );
  await until(`${name} running`, () => phase(name) === 'Running');
}

/** As the resize subresource does it. */
async function resize(
  { client, stored }: Started,
  name: string,
  wanted: ResourceRequirements,
): Promise<void> {
  const pod = stored(name) as Pod;
  const [container] = pod.spec?.containers ?? [];
  const generation = (pod.metadata.generation ?? 0) + 1;
  await client.update(
    resources.pods,
    {
      ...pod,
      metadata: { ...pod.metadata, generation },
      spec: { ...pod.spec, containers: [{ ...(container as Container), resources: wanted }] },
    },
    { namespace: 'default' },
  );
}

const conditionOf = ({ stored }: Started, name: string, type: string) =>
  stored(name)?.status?.conditions?.find((one) => one.type === type);
const statusOf = ({ stored }: Started, name: string) =>
  stored(name)?.status?.containerStatuses?.[0];

test('a resize gives a running container new limits without a restart', async (context) => {
  const kubelet = await started(context);
  const { cri, until, events, stored } = kubelet;
  await runPod(kubelet, 'p');
  await resize(kubelet, 'p', cpu('750m', '1500m'));
  await until('new limits', () => statusOf(kubelet, 'p')?.resources?.limits?.['cpu'] === '1500m');
  assert.deepEqual(cri.updates, [
    { cpuShares: 768, cpuQuota: 150_000, cpuPeriod: 100_000, memoryLimitInBytes: 128 * 2 ** 20 },
  ]);
  await until('done', () => conditionOf(kubelet, 'p', 'PodResizeInProgress') === undefined);
  const status = statusOf(kubelet, 'p');
  assert.equal(status?.allocatedResources?.['cpu'], '750m');
  assert.equal(status?.restartCount, 0);
  assert.equal(stored('p')?.status?.observedGeneration, stored('p')?.metadata.generation);
  const wanted =
    '{"containers":[{"name":"c","resources":{"limits":{"cpu":"1500m","memory":"128Mi"},"requests":{"cpu":"750m","memory":"64Mi"}}}],"generation":2}';
  assert.ok(events().includes(`ResizeStarted: Pod resize started: ${wanted}`));
  assert.ok(events().includes(`ResizeCompleted: Pod resize completed: ${wanted}`));
});

test('a resource whose policy says so is resized by a restart', async (context) => {
  const kubelet = await started(context);
  const { cri, until, events, pass } = kubelet;
  await runPod(kubelet, 'p', {
    resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }],
  });
  await pass(1000);
  await resize(kubelet, 'p', cpu('750m', '1500m'));
  await until('restarted', () => statusOf(kubelet, 'p')?.restartCount === 1);
  assert.ok(events().includes('Killing: Container c resize requires restart'));
  assert.equal(cri.configs.at(-1)?.linux?.resources?.cpuQuota, 150_000);
  assert.deepEqual(cri.updates, []);
});

test('what the node can never give is Infeasible and changes nothing', async (context) => {
  const kubelet = await started(context);
  const { cri, until, events } = kubelet;
  await runPod(kubelet, 'p');
  await resize(kubelet, 'p', cpu('3', '3'));
  await until('refused', () => conditionOf(kubelet, 'p', 'PodResizePending') !== undefined);
  const condition = conditionOf(kubelet, 'p', 'PodResizePending');
  assert.deepEqual(
    [condition?.status, condition?.reason, condition?.message],
    [
      'True',
      'Infeasible',
      "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
    ],
  );
  assert.equal(statusOf(kubelet, 'p')?.allocatedResources?.['cpu'], '500m');
  assert.deepEqual(cri.updates, []);
  assert.ok(events().some((text) => text.startsWith('ResizeInfeasible: Pod resize Infeasible: ')));
  await resize(kubelet, 'p', cpu('500m', '1'));
  await until('taken back', () => conditionOf(kubelet, 'p', 'PodResizePending') === undefined);
});

test('a deferred resize is done when another pod leaves', async (context) => {
  const kubelet = await started(context);
  const { until, stored, delete: remove } = kubelet;
  await runPod(kubelet, 'p');
  await runPod(kubelet, 'other', { resources: cpu('1', '1') });
  await resize(kubelet, 'p', cpu('1500m', '2'));
  await until('deferred', () => conditionOf(kubelet, 'p', 'PodResizePending') !== undefined);
  const { reason, message } = conditionOf(kubelet, 'p', 'PodResizePending') ?? {};
  assert.equal(reason, 'Deferred');
  assert.equal(
    message,
    "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
  );
  await remove('other');
  await until('other gone', () => stored('other') === undefined);
  await until('resized', () => statusOf(kubelet, 'p')?.resources?.requests?.['cpu'] === '1500m');
  await until('settled', () => conditionOf(kubelet, 'p', 'PodResizePending') === undefined);
});

test('a deferred resize is done when another pod gives something back', async (context) => {
  const kubelet = await started(context);
  const { until } = kubelet;
  await runPod(kubelet, 'p');
  await runPod(kubelet, 'other', { resources: cpu('1', '1') });
  await resize(kubelet, 'p', cpu('1500m', '2'));
  await until('deferred', () => conditionOf(kubelet, 'p', 'PodResizePending') !== undefined);
  await resize(kubelet, 'other', cpu('250m', '1'));
  await until('resized', () => statusOf(kubelet, 'p')?.resources?.requests?.['cpu'] === '1500m');
});

test('limits that the runtime refuses are told and tried again', async (context) => {
  const kubelet = await started(context);
  const { cri, until, pass } = kubelet;
  await runPod(kubelet, 'p');
  cri.fail('UpdateContainerResources', new Error('device busy'));
  await resize(kubelet, 'p', cpu('750m', '1500m'));
  const condition = () => conditionOf(kubelet, 'p', 'PodResizeInProgress');
  await until('error', () => condition()?.reason === 'Error');
  assert.equal(condition()?.message, 'device busy');
  cri.fail('UpdateContainerResources', undefined);
  await pass(16_000);
  await until('done', () => condition() === undefined);
  assert.equal(statusOf(kubelet, 'p')?.resources?.limits?.['cpu'], '1500m');
});

test('deferred resizes are retried by priority, class and length of the wait', () => {
  const granted: string[] = [];
  const node = (cpuCount: string) =>
    ({ metadata: { name: 'n' }, status: { allocatable: { cpu: cpuCount } } }) as Node;
  let room = node('5');
  const pods = new Map<string, Pod>();
  const podOf = (name: string, amount: string, priority: number, limit?: string): Pod => {
    const limits = limit === undefined ? {} : { limits: { cpu: limit, memory: '1Mi' } };
    const requests = { cpu: amount, memory: '1Mi' };
    const containers = [testContainer('c', { resources: { requests, ...limits } })];
    const pod = testPod(name, { priority, containers });
    pod.metadata.uid = name;
    return pod;
  };
  const resizes = createPodResizes({
    // Nothing can be written there, and nothing is left.
    store: createAllocationStore({ rootDir: '/dev/null/none', log: silentLogger }),
    events: { pod: () => undefined } as unknown as PodEvents,
    node: () => room,
    active: () => [...pods.values()],
    onGranted: (pod) => granted.push(pod.metadata.name),
  });
  const none = (uid: string): RuntimePod => ({ uid, sandboxes: [], containers: [] }) as never;
  for (const [name, priority, limit] of [
    ['low', 0, undefined],
    ['late', 5, undefined],
    ['early', 5, undefined],
    ['sure', 5, '1'],
  ] as const) {
    pods.set(name, resizes.observe(podOf(name, '1', priority, limit), none(name)));
  }
  pods.set('other', podOf('other', '1', 0));
  for (const [name, priority, limit] of [
    ['low', 0, undefined],
    ['early', 5, undefined],
    ['late', 5, undefined],
    ['sure', 5, '2'],
  ] as const) {
    const wanted = podOf(name, '2', priority, limit);
    wanted.metadata.generation = 2;
    resizes.observe(wanted, none(name));
  }
  room = node('50');
  resizes.retryDeferred();
  assert.deepEqual(granted, ['sure', 'early', 'late', 'low']);
});

test('what a Guaranteed pod has for itself cannot be resized, the rest of it can', () => {
  const node = { metadata: { name: 'n' }, status: { allocatable: { cpu: '8', memory: '8Gi' } } };
  const podWith = (cpus: string, memory: string): Pod => {
    const amounts = { cpu: cpus, memory };
    const resources = { requests: amounts, limits: amounts };
    return testPod('p', { containers: [testContainer('c', { resources })] });
  };
  const before = allocationOf(podWith('2', '1Gi'));
  const refused = (cpus: string, memory: string, isCpuStatic: boolean): string | undefined =>
    refuseResize({
      pod: podWith(cpus, memory),
      before,
      node,
      others: [],
      limits: {
        isCpuStatic,
        isMemoryStatic: !isCpuStatic,
        hasLimitedSwap: false,
        memoryBytes: 2 ** 33,
        swapBytes: 0,
      },
    })?.message;
  const text = 'Resize is infeasible for Guaranteed Pods alongside';
  assert.equal(refused('3', '1Gi', true), `${text} CPU Manager static policy`);
  assert.equal(refused('2', '2Gi', true), undefined);
  assert.equal(refused('2', '2Gi', false), `${text} Memory Manager static policy`);
  assert.equal(refused('3', '1Gi', false), undefined);
});
