import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Container, Pod, PodSpec } from '#schema/types.ts';
import { createTopologyManager, NumaNodes } from '../topology/mod.ts';
import type { NumaNode } from '../topology/mod.ts';
import { createMemoryManager, readReservedMemory, reservedMemoryProblem } from './mod.ts';
import type { MemoryManager } from './mod.ts';

const gib = 2 ** 30;

/** Two NUMA nodes of 4 GiB, each with 1 GiB of huge pages; 1 GiB of the first is the system's. */
const numaNodes: NumaNode[] = [0, 1].map((id) => ({
  id,
  memoryBytes: 4 * gib,
  hugePages: new Map([[2048, gib]]),
  distances: [10, 21],
}));
const reserved = [{ numaNode: 0, limits: { memory: '1Gi' } }];

async function setUp(t: TestContext, given: { policy?: string; topologyPolicy?: string } = {}) {
  const rootDir = await mkdtemp(join(tmpdir(), 'k3ts-memory-'));
  const managers: MemoryManager[] = [];
  t.after(async () => {
    // A checkpoint that is being written would be in the way.
    await Promise.all(managers.map((one) => one.saved()));
    await rm(rootDir, { recursive: true, force: true });
  });
  const nodes = new NumaNodes([0, 1]);
  const holders = new Set<string>();
  const start = async (memoryBytes = 4 * gib) => {
    const memory = await createMemoryManager({
      policy: given.policy ?? 'Static',
      nodes,
      numaNodes: numaNodes.map((node) => ({ ...node, memoryBytes })),
      reserved: readReservedMemory(reserved, numaNodes, { memory: gib }),
      rootDir,
      log: silentLogger,
    });
    managers.push(memory);
    const topology = createTopologyManager({
      policy: given.topologyPolicy ?? 'none',
      scope: 'container',
      policyOptions: {},
      nodes,
      providers: [memory],
      clock: new FakeClock(),
    });
    /** Admits a pod and says from which nodes its containers have their memory. */
    const admit = (pod: Pod) => {
      const rejection = topology.admit(pod, holders);
      if (rejection !== undefined) return rejection;
      const uid = pod.metadata.uid ?? '';
      holders.add(uid);
      return (pod.spec?.containers ?? []).map(({ name }) => memory.nodesOf(uid, name));
    };
    return { memory, admit };
  };
  const path = join(rootDir, 'memory_manager_state');
  return { start, holders, path, state: async () => JSON.parse(await readFile(path, 'utf8')) };
}

function container(name: string, memory: string, more: Record<string, string> = {}): Container {
  const amounts = { cpu: '1', memory, ...more };
  return { name, image: 'i', resources: { requests: amounts, limits: amounts } };
}

function podOf(uid: string, containers: Container[], more: Partial<PodSpec> = {}): Pod {
  return { metadata: { name: uid, uid }, spec: { containers, ...more } };
}

test('Guaranteed pods have memory of one node, or of all that they need', async (t) => {
  const { start, holders, state } = await setUp(t);
  const { memory, admit } = await start();
  // node 0 has 2 GiB without huge pages and reservation, node 1 has 3
  assert.deepEqual(admit(podOf('a', [container('c', '2Gi')])), ['0']);
  assert.deepEqual(admit(podOf('b', [container('c', '1Gi')])), ['1']);
  assert.deepEqual(admit(podOf('best', [{ name: 'c', image: 'i' }])), ['']);
  assert.deepEqual(admit(podOf('c', [container('c', '3Gi')])), {
    reason: 'UnexpectedAdmissionError',
    message:
      'Allocate failed due to [memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available, which is unexpected',
  });
  holders.delete('a');
  holders.delete('b');
  assert.deepEqual(admit(podOf('d', [container('c', '4Gi')])), ['0,1']);
  await memory.saved();
  const { machineState, entries, policyName, checksum } = await state();
  assert.equal(policyName, 'Static');
  assert.ok(checksum > 0);
  assert.deepEqual(entries, {
    d: { c: [{ numaAffinity: [0, 1], type: 'memory', size: 4 * gib }] },
  });
  assert.deepEqual(machineState['0'], {
    numberOfAssignments: 1,
    memoryMap: {
      'hugepages-2Mi': {
        total: gib,
        systemReserved: 0,
        allocatable: gib,
        reserved: 0,
        free: gib,
      },
      memory: {
        total: 4 * gib,
        systemReserved: gib,
        allocatable: 2 * gib,
        reserved: 2 * gib,
        free: 0,
      },
    },
    cells: [0, 1],
  });
});

test('a node of a group gives nothing alone', async (t) => {
  const { start } = await setUp(t);
  const { admit } = await start();
  assert.deepEqual(admit(podOf('a', [container('c', '4Gi')])), ['0,1']);
  assert.deepEqual(admit(podOf('b', [container('c', '512Mi')])), ['0,1']);
});

test('huge pages and memory are of the same nodes', async (t) => {
  const { start } = await setUp(t);
  const { memory, admit } = await start();
  const more = { 'hugepages-2Mi': '1Gi' };
  assert.deepEqual(admit(podOf('a', [container('c', '1Gi', more)])), ['0']);
  assert.deepEqual(admit(podOf('b', [container('c', '1Gi', more)])), ['1']);
  assert.deepEqual(
    memory.blocks('b', 'c').map(({ type, size }) => [type, size]),
    [
      ['hugepages-2Mi', gib],
      ['memory', gib],
    ],
  );
  assert.equal(memory.allocatable().length, 4);
});

test('the policies of the topology manager are asked', async (t) => {
  const { start } = await setUp(t, { topologyPolicy: 'single-numa-node' });
  const { admit, memory } = await start();
  assert.deepEqual(admit(podOf('a', [container('c', '4Gi')])), {
    reason: 'TopologyAffinityError',
    message: 'Resources cannot be allocated with Topology locality',
  });
  assert.deepEqual(admit(podOf('b', [container('c', '3Gi')])), ['1']);
  assert.deepEqual(memory.counts(), { requests: 1, errors: 0 });
});

test('init containers leave their memory to those after them', async (t) => {
  const { start, holders } = await setUp(t);
  const { admit, memory } = await start();
  const initContainers = [container('init', '2Gi')];
  const pod = podOf('a', [container('one', '1Gi'), container('two', '1Gi')], { initContainers });
  assert.deepEqual(admit(pod), ['0', '0']);
  assert.equal(memory.nodesOf('a', 'init'), '0');
  // all of node 0 is given, once
  assert.deepEqual(admit(podOf('b', [container('c', '1Gi')])), ['1']);
  holders.delete('a');
  assert.deepEqual(admit(podOf('c', [container('c', '2Gi')])), ['0']);
});

test('the state is kept over a restart, and must fit the machine', async (t) => {
  const { start, path } = await setUp(t);
  const first = await start();
  first.admit(podOf('a', [container('c', '2Gi')]));
  await first.memory.saved();
  const next = await start();
  assert.equal(next.memory.nodesOf('a', 'c'), '0');
  assert.deepEqual(next.admit(podOf('b', [container('c', '1Gi')])), ['1']);
  await next.memory.saved();
  await assert.rejects(start(8 * gib), {
    message: '[memorymanager] the expected machine state is different from the real one',
  });
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('"size":2147483648', '"size":1147483648'));
  await assert.rejects(start(), {
    message: `could not restore state from checkpoint: checkpoint is corrupted, please drain this node and delete the memory manager checkpoint file "${path}" before restarting Kubelet`,
  });
});

test('policy None leaves memory alone and says so in the state', async (t) => {
  const { start, state, path } = await setUp(t, { policy: 'None' });
  const { admit } = await start();
  assert.deepEqual(admit(podOf('a', [container('c', '2Gi')])), ['']);
  // As a kubelet of upstream writes it.
  assert.deepEqual(await state(), {
    policyName: 'None',
    machineState: {},
    checksum: 4236770233,
  });
  const other = await setUp(t);
  await writeFile(other.path, await readFile(path, 'utf8'));
  await assert.rejects(other.start(), /configured policy "Static" differs from state .* "None"/);
});

test('reservations must be complete and right', () => {
  const problems: [Parameters<typeof reservedMemoryProblem>[0], RegExp | undefined][] = [
    [reserved, undefined],
    [[{ numaNode: 0, limits: { cpu: '1' } }], /limit type "cpu" for NUMA node 0 is not supported/],
    [
      [{ numaNode: 0, limits: { memory: '0' } }],
      /may not be zero for NUMA node 0 and .* "memory"$/,
    ],
    [[...reserved, ...reserved], /has a duplicate value for NUMA node 0 and resource "memory"$/],
  ];
  for (const [given, text] of problems) {
    const problem = reservedMemoryProblem(given);
    if (text === undefined) assert.equal(problem, undefined);
    else assert.match(problem ?? '', text);
  }
  assert.throws(() => readReservedMemory(reserved, numaNodes, { memory: 2 * gib }), {
    message:
      'the total amount "1Gi" of type "memory" is not equal to the value "2Gi" determined by Node Allocatable feature',
  });
  assert.throws(() => readReservedMemory([{ numaNode: 5, limits: {} }], numaNodes, {}), {
    message:
      'the reserved memory configuration references a NUMA node 5 that does not exist on this machine',
  });
});
