import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Pod, PodSpec } from '#schema/types.ts';
import { startFakeKubelet, testContainer, testPod } from '../fake-kubelet.ts';
import { createKubeletMetrics } from '../metrics/mod.ts';
import type { MachineUsage } from '../machine-info.ts';
import type { PodVerdict } from '../status/pod-status.ts';
import { lookOnce } from './eviction.ts';
import type { PodUse } from './pod-usage.ts';
import { rankPods } from './ranking.ts';
import { exceededLimit } from './storage-limits.ts';
import { createThresholdTracker } from './threshold-tracker.ts';
import { readThresholds } from './thresholds.ts';
import type { PodsMemory } from './thresholds.ts';
import type { EvictionConfig } from './thresholds.ts';

const mebi = 2 ** 20;

function useOfPod(
  name: string,
  changes: Partial<PodUse> & { spec?: Partial<PodSpec> } = {},
): PodUse {
  const pod = testPod(name, changes.spec ?? {});
  pod.metadata.uid = name;
  return {
    memoryBytes: 0,
    processCount: 0,
    containers: new Map(),
    emptyDirs: new Map(),
    storageBytes: 0,
    inodes: 0,
    ...changes,
    pod,
  };
}

const requests = (memory: string): Partial<PodSpec> => ({
  containers: [testContainer('c', { resources: { requests: { memory } } })],
});

const hard: EvictionConfig = {
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
  evictionSoft: {},
  evictionSoftGraceMs: {},
  evictionMinimumReclaim: {},
  evictionMaxPodGraceSeconds: 0,
};

const fs = {
  capacityBytes: 1000 * mebi,
  availableBytes: 500 * mebi,
  inodes: 1000,
  inodesFree: 900,
};
const well: MachineUsage = {
  memoryAvailableBytes: 2000 * mebi,
  nodeFs: fs,
  imageFs: fs,
  maxPid: 1000,
  processCount: 10,
};

/** A node that eviction looks at, with what it does. */
function nodeOf(setup: {
  uses: readonly PodUse[];
  config?: Partial<EvictionConfig>;
  podsMemory?: PodsMemory;
}) {
  const clock = new FakeClock();
  const config = { ...hard, ...setup.config };
  const did: string[] = [];
  const notes: (object | undefined)[] = [];
  const ended: { uid: string; verdict: PodVerdict; graceSeconds: number }[] = [];
  let usage = well;
  let afterReclaim: MachineUsage | undefined;
  const tracker = createThresholdTracker(readThresholds(config));
  const options: Parameters<typeof lookOnce>[0] = {
    clock,
    log: silentLogger,
    metrics: createKubeletMetrics(),
    config,
    nodeName: 'n1',
    machine: { ...machine },
    machineUsage: async () => usage,
    podsMemory: async () => setup.podsMemory,
    usages: {
      gather: async (pods) => setup.uses.filter(({ pod }) => pods.includes(pod)),
    },
    recorder: {
      event(_about, type, reason, message, more) {
        did.push(`${type} ${reason}: ${message}`);
        notes.push(more?.annotations);
      },
    },
    states: () => setup.uses.map(({ pod }) => ({ pod, stage: 'syncing' }) as never),
    end: (uid, verdict, graceSeconds) => ended.push({ uid, verdict, graceSeconds }),
    async reclaimDisk() {
      did.push('reclaim');
      usage = afterReclaim ?? usage;
    },
    onScarce: (resources) => did.push(`scarce: ${[...resources].join(' ')}`),
    signal: new AbortController().signal,
  };
  return {
    clock,
    did,
    notes,
    ended,
    look: async (next: Partial<MachineUsage>, reclaimed?: Partial<MachineUsage>) => {
      usage = { ...well, ...next };
      afterReclaim = reclaimed === undefined ? undefined : { ...well, ...reclaimed };
      did.length = 0;
      return await lookOnce(options, tracker);
    },
  };
}

const machine = {
  cpuCount: 2,
  memoryBytes: 4000 * mebi,
  machineId: '',
  systemUuid: '',
  bootId: '',
  kernelVersion: '',
  osImage: '',
  architecture: 'amd64',
};

test('the pod that uses most beyond its request goes first, with the whole story', async () => {
  const containers = new Map([['c', { memoryBytes: 300 * mebi, storageBytes: 0, inodes: 0 }]]);
  const node = nodeOf({
    uses: [
      useOfPod('fair', { memoryBytes: 400 * mebi, spec: requests('500Mi') }),
      useOfPod('greedy', { memoryBytes: 300 * mebi, containers, spec: requests('100Mi') }),
      useOfPod('small', { memoryBytes: 20 * mebi }),
    ],
  });
  assert.deepEqual(await node.look({}), []);
  assert.deepEqual(node.did, ['scarce: ']);
  assert.deepEqual(await node.look({ memoryAvailableBytes: 50 * mebi }), ['greedy']);
  const message =
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using 300Mi, request is 100Mi, has larger consumption of memory. ';
  assert.deepEqual(node.did, [
    'scarce: memory',
    'Warning EvictionThresholdMet: Attempting to reclaim memory',
    `Warning Evicted: ${message}`,
  ]);
  assert.deepEqual(node.notes.at(-1), {
    offending_containers: 'c',
    offending_containers_usage: '300Mi',
    starved_resource: 'memory',
  });
  assert.deepEqual(node.ended, [
    {
      uid: 'greedy',
      graceSeconds: 1,
      verdict: {
        phase: 'Failed',
        reason: 'Evicted',
        message,
        condition: {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'TerminationByKubelet',
          message,
        },
      },
    },
  ]);
});

test('pods that together come near their limit are short of memory before the machine', async () => {
  const uses = [useOfPod('big', { memoryBytes: 900 * mebi })];
  const podsMemory = { limitBytes: 1000 * mebi, workingSetBytes: 950 * mebi };
  const enforceNodeAllocatable = ['pods'];
  const node = nodeOf({ uses, podsMemory, config: { enforceNodeAllocatable } });
  assert.deepEqual(await node.look({}), ['big']);
  assert.match(
    node.did.at(-1) ?? '',
    /resource: memory. Threshold quantity: 100Mi, available: 50Mi/,
  );
  const free = nodeOf({ uses, podsMemory, config: { enforceNodeAllocatable: ['none'] } });
  assert.deepEqual(await free.look({}), []);
});

test('nobody asks for inodes: the message names no container', async () => {
  const containers = new Map([['c', { memoryBytes: 0, storageBytes: 0, inodes: 900 }]]);
  const node = nodeOf({
    uses: [useOfPod('many', { inodes: 900, containers })],
    config: { evictionHard: { 'nodefs.inodesFree': '5%' } },
  });
  const scarce = { nodeFs: { ...well.nodeFs, inodesFree: 1 } };
  await node.look(scarce, scarce);
  assert.match(
    node.did.at(-1) ?? '',
    /resource: inodes\. Threshold quantity: \S+, available: 1\. $/,
  );
});

test('critical pods stay', async () => {
  const spec = { priority: 2_000_000_000 };
  const node = nodeOf({ uses: [useOfPod('vital', { memoryBytes: mebi, spec })] });
  assert.deepEqual(await node.look({ memoryAvailableBytes: 0 }), []);
});

test('soft thresholds wait for their grace period and give pods time', async () => {
  const node = nodeOf({
    uses: [useOfPod('p', { memoryBytes: mebi, spec: { terminationGracePeriodSeconds: 60 } })],
    config: {
      evictionSoft: { 'memory.available': '500Mi' },
      evictionSoftGraceMs: { 'memory.available': 90_000 },
      evictionMaxPodGraceSeconds: 40,
    },
  });
  const low = { memoryAvailableBytes: 300 * mebi };
  assert.deepEqual(await node.look(low), []);
  assert.deepEqual(node.did, ['scarce: memory']);
  await node.clock.advance(80_000);
  assert.deepEqual(await node.look(low), []);
  await node.look({});
  // the time begins anew
  await node.clock.advance(20_000);
  assert.deepEqual(await node.look(low), []);
  await node.clock.advance(90_000);
  assert.deepEqual(await node.look(low), ['p']);
  assert.equal(node.ended[0]?.graceSeconds, 40);
});

test('disk is reclaimed first; pods go when that was not enough', async () => {
  const containers = new Map([['c', { memoryBytes: 0, storageBytes: 50 * mebi, inodes: 3 }]]);
  const node = nodeOf({ uses: [useOfPod('p', { storageBytes: 50 * mebi, containers })] });
  const full = { nodeFs: { ...fs, availableBytes: 90 * mebi } };
  assert.deepEqual(await node.look(full, {}), []);
  assert.deepEqual(node.did.slice(1), [
    'Warning EvictionThresholdMet: Attempting to reclaim ephemeral-storage',
    'reclaim',
  ]);
  assert.deepEqual(await node.look(full, full), ['p']);
  assert.match(
    node.ended[0]?.verdict.message ?? '',
    /^The node was low on resource: ephemeral-storage\. Threshold quantity: 100Mi, available: 90Mi\. Container c was using 50Mi, request is 0, has larger consumption of ephemeral-storage\. $/,
  );
});

test('a threshold that was crossed is over when its minimum reclaim is free, too', async () => {
  const node = nodeOf({
    uses: [useOfPod('p', { memoryBytes: mebi })],
    config: { evictionMinimumReclaim: { 'memory.available': '200Mi' } },
  });
  assert.deepEqual(await node.look({ memoryAvailableBytes: 200 * mebi }), []);
  assert.deepEqual(await node.look({ memoryAvailableBytes: 90 * mebi }), ['p']);
  assert.deepEqual(await node.look({ memoryAvailableBytes: 200 * mebi }), ['p']);
  assert.deepEqual(await node.look({ memoryAvailableBytes: 301 * mebi }), []);
  assert.deepEqual(await node.look({ memoryAvailableBytes: 200 * mebi }), []);
});

test('ranks: requests, priority, use; processes have no requests', () => {
  const uses = [
    useOfPod('low', { memoryBytes: 10, processCount: 5, spec: { priority: 1 } }),
    useOfPod('high', { memoryBytes: 90, processCount: 50, spec: { priority: 9 } }),
    useOfPod('within', { memoryBytes: 99, spec: { ...requests('100'), priority: 0 } }),
    useOfPod('low-more', { memoryBytes: 20, processCount: 4, spec: { priority: 1 } }),
  ];
  const names = (resource: 'memory' | 'pids'): string[] =>
    rankPods(uses, resource).map(({ pod }) => pod.metadata.name);
  assert.deepEqual(names('memory'), ['low-more', 'low', 'high', 'within']);
  assert.deepEqual(names('pids'), ['within', 'low', 'low-more', 'high']);
});

const limited = (limit: string): Partial<PodSpec> => ({
  containers: [testContainer('c', { resources: { limits: { 'ephemeral-storage': limit } } })],
});
for (const [name, use, expected] of [
  [
    'an emptyDir beyond its size',
    useOfPod('p', {
      spec: { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }] },
      emptyDirs: new Map([['v', { bytes: 2 * mebi, inodes: 1 }]]),
    }),
    'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
  ],
  [
    'a container beyond its limit',
    useOfPod('p', {
      spec: {
        containers: [
          testContainer('c', { resources: { limits: { 'ephemeral-storage': '1Mi' } } }),
          testContainer('free'),
        ],
      },
      containers: new Map([['c', { memoryBytes: 0, storageBytes: 2 * mebi, inodes: 0 }]]),
      storageBytes: 2 * mebi,
    }),
    'Container c exceeded its local ephemeral storage limit "1Mi". ',
  ],
  [
    'a pod beyond the sum of its limits',
    useOfPod('p', { spec: limited('1024Mi'), storageBytes: 1025 * mebi }),
    'Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ',
  ],
  [
    'a pod within its limits',
    useOfPod('p', { spec: limited('1Gi'), storageBytes: mebi }),
    undefined,
  ],
] as const) {
  test(`limits: ${name}`, () => assert.equal(exceededLimit(use), expected));
}

test('the kubelet fails an evicted pod, reports pressure and takes no more pods without requests', async () => {
  let memoryAvailableBytes = 2 ** 31;
  const pods: Pod[] = [testPod('web')];
  const fake = await startFakeKubelet({
    pods,
    usage: () => ({ memoryAvailableBytes }),
    podUsage: async () => undefined,
  });
  await fake.until('a running pod', () => fake.phase('web') === 'Running');
  memoryAvailableBytes = 2 ** 20;
  await fake.pass(15_000);
  await fake.until('the eviction', () => fake.stored('web')?.status?.reason === 'Evicted');
  const { status } = fake.stored('web') ?? {};
  assert.equal(status?.phase, 'Failed');
  assert.equal(
    status?.message,
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 1Mi. ',
  );
  const disrupted = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  assert.equal(disrupted?.reason, 'TerminationByKubelet');
  await fake.create(testPod('late'));
  await fake.until('a rejection', () => fake.phase('late') === 'Failed');
  assert.match(fake.stored('late')?.status?.message ?? '', /MemoryPressure/);
  await fake.close();
});
