import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Container, Pod, PodSpec } from '#schema/types.ts';
import { createCpuManager, readCpuTopology } from '../cpus/mod.ts';
import { createKubeletMetrics } from '../metrics/mod.ts';
import { createDeviceStore } from '../devices/device-store.ts';
import { createTopologyManager, NumaNodes, readNumaNodes, topologyPolicyProblem } from './mod.ts';
import type { HintProvider, TopologyManager } from './mod.ts';

const gpu = 'acme.test/gpu';
const refusal = {
  reason: 'TopologyAffinityError',
  message: 'Resources cannot be allocated with Topology locality',
};

/** /sys/devices/system of two sockets, each with a NUMA node of four processors without threads. */
async function machineFiles(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-numa-'));
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), `${text}\n`);
  };
  await put('cpu/online', '0-7');
  for (const node of [0, 1]) {
    await put(`node/node${node}/cpulist`, node === 0 ? '0-3' : '4-7');
    await put(`node/node${node}/meminfo`, `Node ${node} MemTotal:   ${4 * 2 ** 20} kB`);
    await put(`node/node${node}/distance`, node === 0 ? '10 21' : '21 10');
    await put(`node/node${node}/hugepages/hugepages-2048kB/nr_hugepages`, '8');
  }
  for (let cpu = 0; cpu < 8; cpu++) {
    await put(`cpu/cpu${cpu}/topology/thread_siblings_list`, String(cpu));
    await put(`cpu/cpu${cpu}/topology/physical_package_id`, String(cpu >> 2));
  }
  return root;
}

async function setUp(
  t: TestContext,
  { policy = 'none', scope = 'container', cpuOptions = {} as Record<string, string> },
) {
  const root = await machineFiles();
  const nodes = new NumaNodes((await readNumaNodes(join(root, 'node'))).map(({ id }) => id));
  const cpus = await createCpuManager({
    policy: 'static',
    policyOptions: cpuOptions,
    reservedMilliCpu: 1000,
    reservedCpus: new Set([0]),
    topology: await readCpuTopology(root),
    nodes,
    hasAlphaOptions: true,
    rootDir: root,
    log: silentLogger,
  });
  t.after(async () => {
    // A checkpoint that is being written would be in the way.
    await cpus.saved();
    await rm(root, { recursive: true, force: true });
  });
  const devices = createDeviceStore(nodes);
  devices.setDevices(
    gpu,
    [0, 0, 1, 1].map((id, index) => ({
      id: `gpu${index}`,
      health: 'Healthy',
      topology: { nodes: [{ id }] },
    })),
  );
  const provider: HintProvider = {
    ...devices,
    holds: (uid) => devices.allocations().has(uid),
    allocate: (pod, container, { mask }) => devices.allocate(pod, container, mask),
    settle: () => undefined,
  };
  const metrics = createKubeletMetrics();
  const topology = createTopologyManager({
    policy,
    scope,
    policyOptions: {},
    nodes,
    providers: [provider, cpus],
    clock: new FakeClock(),
    metrics,
  });
  const holders = new Set<string>();
  const shown = async (pattern: RegExp): Promise<string[]> =>
    (await metrics.registry.render()).split('\n').filter((line) => pattern.test(line));
  /** Admits a pod and says what its containers got. */
  const admit = (pod: Pod) => {
    const rejection = topology.admit(pod, holders);
    if (rejection !== undefined) return rejection;
    const uid = pod.metadata.uid ?? '';
    holders.add(uid);
    return (pod.spec?.containers ?? []).map(({ name }) => {
      const ids = devices.allocation(uid, name).get(gpu) ?? [];
      return [cpus.exclusive(uid, name).join(), ids.join()];
    });
  };
  return { admit, topology, devices, cpus, holders, shown };
}

function container(name: string, cpu: number, gpus = 0): Container {
  const amounts = { cpu: String(cpu), memory: '64Mi', ...(gpus > 0 ? { [gpu]: `${gpus}` } : {}) };
  return { name, image: 'i', resources: { requests: amounts, limits: amounts } };
}

function podOf(uid: string, containers: Container[], more: Partial<PodSpec> = {}): Pod {
  return { metadata: { name: uid, uid }, spec: { containers, ...more } };
}

test('the NUMA nodes of a machine are read from the files of the kernel', async (t) => {
  const root = await machineFiles();
  t.after(() => rm(root, { recursive: true, force: true }));
  const [first, second] = await readNumaNodes(join(root, 'node'));
  assert.deepEqual(first, {
    id: 0,
    memoryBytes: 4 * 2 ** 30,
    hugePages: new Map([[2048, 16 * 2 ** 20]]),
    distances: [10, 21],
  });
  assert.equal(second?.id, 1);
  assert.deepEqual(await readNumaNodes(join(root, 'none')), []);
});

test('processors and devices come from one node where the policy asks for it', async (t) => {
  const single = await setUp(t, { policy: 'single-numa-node' });
  // node 0 has three processors to give, node 1 four
  assert.deepEqual(single.admit(podOf('a', [container('c', 4, 1)])), [['4,5,6,7', 'gpu2']]);
  assert.deepEqual(single.admit(podOf('b', [container('c', 2, 1)])), [['1,2', 'gpu0']]);
  // processors on node 0, devices on both: more than one of node 0 cannot be had
  assert.deepEqual(single.admit(podOf('c', [container('c', 1, 2)])), refusal);
  assert.deepEqual(single.admit(podOf('d', [container('c', 2)])), refusal);
  assert.deepEqual(single.admit(podOf('e', [container('c', 1, 1)])), [['3', 'gpu1']]);
  const labels = 'boundary="numa_node",scope="container"';
  assert.deepEqual(await single.shown(/^kubelet_(container_aligned|topology_manager.*total)/), [
    `kubelet_container_aligned_compute_resources_count{${labels}} 3`,
    `kubelet_container_aligned_compute_resources_failure_count{${labels}} 2`,
    'kubelet_topology_manager_admission_errors_total 2',
    'kubelet_topology_manager_admission_requests_total 5',
  ]);
});

test('what a refused pod was given in between comes back', async (t) => {
  const { admit, cpus, devices } = await setUp(t, { policy: 'single-numa-node' });
  const pod = podOf('a', [container('fits', 2, 1), container('does-not', 5)]);
  assert.deepEqual(admit(pod), refusal);
  assert.equal(devices.allocations().size, 0);
  assert.equal(cpus.cpusetOf('a', 'fits'), '0-7');
});

test('policy restricted takes two nodes when one could never do', async (t) => {
  const { admit } = await setUp(t, { policy: 'restricted' });
  assert.deepEqual(admit(podOf('a', [container('c', 5)])), [['1,4,5,6,7', '']]);
  // two would fit on an idle node, so one of each is not good enough
  assert.deepEqual(admit(podOf('b', [container('c', 2)])), [['2,3', '']]);
});

test('policy best-effort takes what there is, as near as possible', async (t) => {
  const { admit } = await setUp(t, { policy: 'best-effort' });
  assert.deepEqual(admit(podOf('a', [container('c', 3, 1)])), [['1,2,3', 'gpu0']]);
  assert.deepEqual(admit(podOf('b', [container('c', 4, 2)])), [['4,5,6,7', 'gpu2,gpu3']]);
  assert.deepEqual(admit(podOf('c', [container('c', 1)])), {
    reason: 'UnexpectedAdmissionError',
    message:
      'Allocate failed due to not enough cpus available to satisfy request: requested=1, available=0, which is unexpected',
  });
});

test('policy none packs without looking at nodes', async (t) => {
  const { admit } = await setUp(t, {});
  assert.deepEqual(admit(podOf('a', [container('c', 2, 2)])), [['1,2', 'gpu0,gpu1']]);
  assert.deepEqual(admit(podOf('b', [container('c', 2, 1)])), [['3,4', 'gpu2']]);
});

test('with the scope pod all containers are on the same node', async (t) => {
  const containers = [container('a', 2, 1), container('b', 2, 1)];
  const pod = await setUp(t, { policy: 'single-numa-node', scope: 'pod' });
  assert.deepEqual(pod.admit(podOf('p', containers)), [
    ['4,5', 'gpu2'],
    ['6,7', 'gpu3'],
  ]);
  assert.deepEqual(pod.admit(podOf('q', containers)), refusal);
  const single = await setUp(t, { policy: 'single-numa-node' });
  assert.deepEqual(single.admit(podOf('p', containers)), [
    ['1,2', 'gpu0'],
    ['4,5', 'gpu2'],
  ]);
});

test('an init container leaves its node and what it had to those after it', async (t) => {
  const { admit } = await setUp(t, { policy: 'restricted' });
  const initContainers = [container('init', 4, 2)];
  const pod = podOf('p', [container('c', 4, 2)], { initContainers });
  assert.deepEqual(admit(pod), [['4,5,6,7', 'gpu2,gpu3']]);
});

test('a pod that has everything already is admitted again after a restart', async (t) => {
  const { topology, admit, holders } = await setUp(t, { policy: 'single-numa-node' });
  const pod = podOf('p', [container('c', 4, 1)]);
  admit(pod);
  assert.equal(topology.admit(pod, holders), undefined);
});

test('shares of NUMA nodes are equal when they shall be spread', async (t) => {
  const cpuOptions = { 'distribute-cpus-across-numa': 'true' };
  const { admit } = await setUp(t, { cpuOptions });
  assert.deepEqual(admit(podOf('a', [container('c', 6)])), [['1,2,3,4,5,6', '']]);
});

test('nodes of one socket are as good as one node when sockets count', async (t) => {
  const cpuOptions = { 'align-by-socket': 'true' };
  const { admit } = await setUp(t, { policy: 'restricted', cpuOptions });
  assert.deepEqual(admit(podOf('a', [container('c', 4)])), [['4,5,6,7', '']]);
});

test('a machine with too many nodes, and options that are none, are refused', () => {
  const make = (policyOptions: Record<string, string>): TopologyManager =>
    createTopologyManager({
      policy: 'restricted',
      scope: 'container',
      policyOptions,
      nodes: new NumaNodes(Array.from({ length: 9 }, (_, id) => id)),
      providers: [],
      clock: new FakeClock(),
    });
  assert.throws(() => make({}), { message: 'unsupported on machines with more than 8 NUMA Nodes' });
  assert.equal(
    make({ 'max-allowable-numa-nodes': '9' }).admit(podOf('p', []), new Set()),
    undefined,
  );
  const problems: [policy: string, scope: string, options: Record<string, string>, text: RegExp][] =
    [
      [
        'fast',
        'pod',
        {},
        /^topologyManagerPolicy .* "fast" must be one of: \["none" "best-effort"/,
      ],
      [
        'none',
        'node',
        {},
        /^topologyManagerScope .* "node" must be one of: \["container" "pod"\]$/,
      ],
      ['none', 'pod', { near: 'true' }, /: unknown Topology Manager Policy option: "near"$/],
      ['none', 'pod', { 'max-allowable-numa-nodes': '4' }, /should not be less than 8$/],
      ['none', 'pod', { 'prefer-closest-numa-nodes': 'yes' }, /parsing "yes": invalid syntax$/],
    ];
  for (const [policy, scope, options, text] of problems) {
    assert.match(topologyPolicyProblem({ policy, scope, options }) ?? '', text);
  }
  const options = { 'prefer-closest-numa-nodes': 'true' };
  assert.equal(topologyPolicyProblem({ policy: 'restricted', scope: 'pod', options }), undefined);
});
