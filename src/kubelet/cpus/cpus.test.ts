import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { Container, Pod } from '#schema/types.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { createTopologyManager, NumaNodes } from '../topology/mod.ts';
import { createCpuManager } from './exclusive-cpus.ts';
import type { CpuManager } from './exclusive-cpus.ts';
import { formatCpuSet, parseCpuSet } from './cpu-set.ts';
import { readCpuTopology } from './cpu-topology.ts';
import type { CpuTopology } from './cpu-topology.ts';
import { exclusiveCpuCount } from './static-policy.ts';
import { spreadCpus } from './spread-cpus.ts';
import { takeCpus } from './take-cpus.ts';

/** Threads of a core are `cores` apart, as on most machines: with 4 cores 0 and 4 are one. */
function machineOf({ sockets = 1, cores = 4, threads = 1 }): CpuTopology {
  const places = new Map();
  for (let thread = 0; thread < threads; thread++) {
    for (let core = 0; core < sockets * cores; core++) {
      const socket = Math.floor(core / cores);
      const place = {
        core,
        socket,
        numaNode: socket,
        cache: socket * cores + ((core % cores) >> 1),
      };
      places.set(thread * sockets * cores + core, place);
    }
  }
  return { places };
}

function podOf(uid: string, containers: Container[], more: Partial<Pod['spec']> = {}): Pod {
  return { metadata: { name: uid, uid }, spec: { containers, ...more } };
}

function exact(name: string, cpu: string, more: Partial<Container> = {}): Container {
  const amounts = { cpu, memory: '64Mi' };
  return { name, image: 'i', resources: { requests: amounts, limits: amounts }, ...more };
}

async function setUp(
  t: TestContext,
  options: Partial<Parameters<typeof createCpuManager>[0]> = {},
) {
  const rootDir = await mkdtemp(join(tmpdir(), 'k3ts-cpus-'));
  const managers: CpuManager[] = [];
  t.after(async () => {
    // A checkpoint that is being written would be in the way.
    await Promise.all(managers.map((one) => one.saved()));
    await rm(rootDir, { recursive: true, force: true });
  });
  const start = async (more: Partial<Parameters<typeof createCpuManager>[0]> = {}) => {
    const manager = await createCpuManager({
      policy: 'static',
      policyOptions: {},
      reservedMilliCpu: 500,
      reservedCpus: new Set(),
      topology: machineOf({}),
      nodes: new NumaNodes([0]),
      rootDir,
      log: silentLogger,
      ...options,
      ...more,
    });
    managers.push(manager);
    const topology = createTopologyManager({
      policy: 'none',
      scope: 'container',
      policyOptions: {},
      nodes: new NumaNodes([0]),
      providers: [manager],
      clock: new FakeClock(),
    });
    return { ...manager, admit: topology.admit.bind(topology) };
  };
  const path = join(rootDir, 'cpu_manager_state');
  return { start, path, state: () => readFile(path, 'utf8') };
}

test('lists of processors are read and written as the kernel does', () => {
  for (const text of ['', '0', '0-3', '0,2-4,8']) {
    assert.equal(formatCpuSet(parseCpuSet(text)), text);
  }
  assert.throws(() => parseCpuSet('3-1'), { message: 'unable to parse "3-1" as a cpuset' });
});

test('whole sockets are taken first, then whole cores, then threads beside them', () => {
  const topology = machineOf({ sockets: 2, cores: 2, threads: 2 });
  const cases: [available: string, count: number, taken: string][] = [
    ['0-7', 4, '0-1,4-5'],
    ['0-7', 2, '0,4'],
    ['0-7', 5, '0-2,4-5'],
    // socket 1 has one whole core less: it is used up first
    ['0-6', 2, '2,6'],
    // a core that is broken already, not a whole one
    ['1-7', 1, '4'],
    ['0-7', 0, ''],
  ];
  for (const [available, count, taken] of cases) {
    const result = takeCpus({ topology, available: parseCpuSet(available), count });
    assert.equal(formatCpuSet(result), taken, `${count} of ${available}`);
  }
  assert.throws(() => takeCpus({ topology, available: new Set([1]), count: 2 }), {
    message: 'not enough cpus available to satisfy request: requested=2, available=1',
  });
});

test('containers stay on one last-level cache when asked to', () => {
  const topology = machineOf({ cores: 4 });
  const available = parseCpuSet('1-3');
  assert.equal(formatCpuSet(takeCpus({ topology, available, count: 2 })), '1-2');
  const byCache = takeCpus({ topology, available, count: 2, isByCache: true });
  assert.equal(formatCpuSet(byCache), '2-3');
});

test('single threads of many cores are taken when cores shall be shared', () => {
  const topology = machineOf({ cores: 4, threads: 2 });
  const available = parseCpuSet('1-7');
  assert.equal(formatCpuSet(takeCpus({ topology, available, count: 3 })), '1,4-5');
  const spread = takeCpus({ topology, available, count: 3, isSpreadOverCores: true });
  assert.equal(formatCpuSet(spread), '1-3');
});

test('NUMA nodes give equal shares, in whole cores when asked for', () => {
  const topology = machineOf({ sockets: 2, cores: 4, threads: 2 });
  const cases: [available: string, count: number, groupSize: number, taken: string][] = [
    // what fits on one node comes from one
    ['0-15', 6, 1, '0-2,8-10'],
    ['0-15', 10, 1, '0-2,4-6,8-9,12-13'],
    ['0-15', 12, 2, '0-2,4-6,8-10,12-14'],
    // five of the first and three of the second: only three of each are equal
    ['0-4,8,12,14', 6, 1, '0-1,4,8,12,14'],
    ['1,5', 2, 1, '1,5'],
  ];
  for (const [available, count, groupSize, taken] of cases) {
    const wish = { topology, available: parseCpuSet(available), count, groupSize };
    const result = spreadCpus(wish);
    assert.equal(result.size, count);
    assert.equal(
      formatCpuSet(result),
      formatCpuSet(parseCpuSet(taken)),
      `${count} of ${available}`,
    );
  }
});

test('only whole numbers in Guaranteed pods give processors of their own', () => {
  const count = (container: Container, more: Partial<Pod['spec']> = {}): number =>
    exclusiveCpuCount(podOf('p', [container], more), container);
  assert.equal(count(exact('c', '2')), 2);
  assert.equal(count(exact('c', '1500m')), 0);
  assert.equal(count({ name: 'c', image: 'i', resources: { requests: { cpu: '2' } } }), 0);
  assert.equal(count(exact('c', '2'), { resources: { limits: { cpu: '2' } } }), 0);
});

test('a pod gets its processors, the others share the rest, and the state tells it', async (t) => {
  const { start, state } = await setUp(t);
  const cpus = await start();
  const pod = podOf('one', [exact('own', '2'), exact('shared', '500m')]);
  assert.equal(cpus.admit(pod, new Set()), undefined);
  assert.equal(cpus.cpusetOf('one', 'own'), '1-2');
  assert.equal(cpus.cpusetOf('one', 'shared'), '0,3');
  assert.deepEqual(cpus.exclusive('one', 'own'), [1, 2]);
  assert.deepEqual(cpus.allocatable(), [1, 2, 3]);
  assert.deepEqual(cpus.counts(), { shared: 2, exclusive: 2, requests: 1, errors: 0 });
  assert.equal(cpus.hasExclusive(pod), true);
  assert.equal(cpus.hasExclusive(pod, 'shared'), false);
  assert.deepEqual(cpus.admit(podOf('two', [exact('c', '2')]), new Set(['one'])), {
    reason: 'UnexpectedAdmissionError',
    message:
      'Allocate failed due to not enough cpus available to satisfy request: requested=2, available=1, which is unexpected',
  });
  await cpus.saved();
  const { checksum, ...saved } = JSON.parse(await state());
  assert.deepEqual(saved, {
    policyName: 'static',
    defaultCpuSet: '0,3',
    entries: { one: { own: '1-2' } },
  });
  assert.ok(checksum > 0);
  // after a restart it goes on, and what is over comes back
  const next = await start();
  assert.equal(next.cpusetOf('one', 'own'), '1-2');
  next.releaseOthers(new Set());
  assert.equal(next.cpusetOf('two', 'c'), '0-3');
});

test('init containers leave their processors to those after them, sidecars keep theirs', async (t) => {
  const { start } = await setUp(t, { topology: machineOf({ cores: 5 }) });
  const cpus = await start();
  const initContainers = [exact('init', '3'), exact('side', '1', { restartPolicy: 'Always' })];
  const pod = podOf('one', [exact('main', '2'), exact('more', '1')], { initContainers });
  assert.equal(cpus.admit(pod, new Set()), undefined);
  assert.equal(cpus.cpusetOf('one', 'init'), '1-3');
  const [side, main, more] = ['side', 'main', 'more'].map((name) => cpus.exclusive('one', name));
  const all = [side, main, more].flat();
  assert.equal(new Set(all).size, 4);
  assert.equal(all.includes(0), false);
});

test('whole cores only: other numbers are rejected with their own reason', async (t) => {
  const policyOptions = { 'full-pcpus-only': 'true' };
  const { start } = await setUp(t, {
    policyOptions,
    topology: machineOf({ cores: 3, threads: 2 }),
  });
  const cpus = await start();
  assert.deepEqual(cpus.admit(podOf('odd', [exact('c', '1')]), new Set()), {
    reason: 'SMTAlignmentError',
    message: 'SMT Alignment Error: requested 1 cpus not multiple cpus per core = 2',
  });
  assert.equal(cpus.admit(podOf('even', [exact('c', '4')]), new Set()), undefined);
  assert.equal(cpus.cpusetOf('even', 'c'), '1-2,4-5');
  assert.deepEqual(cpus.admit(podOf('more', [exact('c', '2')]), new Set(['even'])), {
    reason: 'SMTAlignmentError',
    message:
      'SMT Alignment Error: not enough free physical CPUs: available physical CPUs = 0, requested CPUs = 2, CPUs per core = 2',
  });
});

test('strictly reserved processors are not shared', async (t) => {
  const { start } = await setUp(t, {
    policyOptions: { 'strict-cpu-reservation': 'true' },
    reservedCpus: new Set([3]),
    reservedMilliCpu: 1000,
  });
  assert.equal((await start()).cpusetOf('any', 'c'), '0-2');
});

test('policy none writes the state that every kubelet reads, and leaves processors alone', async (t) => {
  const { start, state } = await setUp(t, { policy: 'none' });
  const cpus = await start();
  assert.equal(await state(), '{"policyName":"none","defaultCpuSet":"","checksum":1353318690}');
  assert.equal(cpus.admit(podOf('one', [exact('own', '2')]), new Set()), undefined);
  assert.equal(cpus.cpusetOf('one', 'own'), '');
});

test('a state that does not fit ends the start, with what to do', async (t) => {
  const { start, path } = await setUp(t);
  await writeFile(path, '{"policyName":"none","defaultCpuSet":"","checksum":1353318690}');
  const drain = `please drain this node and delete the CPU manager checkpoint file "${path}" before restarting Kubelet`;
  await assert.rejects(start(), {
    message: `could not restore state from checkpoint: configured policy "static" differs from state checkpoint policy "none", ${drain}`,
  });
  await writeFile(path, '{"policyName":"static","defaultCpuSet":"0-3","checksum":1}');
  await assert.rejects(start(), { message: /checkpoint is corrupted/ });
  await writeFile(path, '{"policyName":"static","defaultCpuSet":"0-1","checksum":0}');
  await assert.rejects(start(), {
    message:
      'start cpu manager error: current set of available CPUs "0-3" doesn\'t match with CPUs in state "0-1"',
  });
  await writeFile(path, '{"policyName":"static","defaultCpuSet":"1-3","checksum":0}');
  await assert.rejects(start(), {
    message:
      'start cpu manager error: not all reserved cpus: "0" are present in defaultCpuSet: "1-3"',
  });
});

test('settings that cannot be done end the start, in the words of upstream', async (t) => {
  const { start } = await setUp(t);
  const cases: [Partial<Parameters<typeof createCpuManager>[0]>, string][] = [
    [{ policy: 'dynamic' }, 'unknown policy: "dynamic"'],
    [
      { reservedMilliCpu: 0 },
      '[cpumanager] the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero',
    ],
    [{ policyOptions: { fast: 'true' } }, 'unknown CPU Manager Policy option: "fast"'],
    [
      { policyOptions: { 'align-by-socket': 'true' } },
      'CPU Manager Policy Alpha-level Options not enabled, but option "align-by-socket" provided',
    ],
    [
      { policyOptions: { 'full-pcpus-only': 'yes' } },
      'bad value for option "full-pcpus-only": strconv.ParseBool: parsing "yes": invalid syntax',
    ],
    [
      {
        hasAlphaOptions: true,
        policyOptions: { 'distribute-cpus-across-cores': 'true', 'full-pcpus-only': 'true' },
      },
      'static policy options full-pcpus-only and distribute-cpus-across-cores can not be used at the same time',
    ],
    [
      {
        hasAlphaOptions: true,
        policyOptions: { 'align-by-socket': 'true' },
        topologyPolicy: 'single-numa-node',
      },
      'Topology manager single-numa-node policy is incompatible with CPUManager align-by-socket policy option',
    ],
  ];
  for (const [options, message] of cases) await assert.rejects(start(options), { message });
});

test('the machine is read from the files of the kernel', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-topology-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), `${text}\n`);
  };
  await put('cpu/online', '0-1,3');
  await put('node/node0/cpulist', '0-1');
  await put('node/node1/cpulist', '2-3');
  for (const [cpu, threads, socket] of [
    [0, '0-1', 0],
    [1, '0-1', 0],
    [3, '2-3', 1],
  ]) {
    await put(`cpu/cpu${cpu}/topology/thread_siblings_list`, String(threads));
    await put(`cpu/cpu${cpu}/topology/physical_package_id`, String(socket));
    await put(`cpu/cpu${cpu}/cache/index3/shared_cpu_list`, String(threads));
  }
  assert.deepEqual(
    [...(await readCpuTopology(root)).places],
    [
      [0, { core: 0, socket: 0, numaNode: 0, cache: 0 }],
      [1, { core: 0, socket: 0, numaNode: 0, cache: 0 }],
      [3, { core: 2, socket: 1, numaNode: 1, cache: 2 }],
    ],
  );
});
