import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CgroupDetails } from '#host/cgroup-details.ts';
import { formatTime } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { testContainer, testPod } from '../../fake-kubelet.ts';
import { cadvisorSeries } from './cadvisor-series.ts';
import type { GatheredStats } from './gather-stats.ts';
import { parseNetDev } from './network.ts';
import { createPodFilesReader } from './pod-files.ts';
import { createCpuRates } from './rates.ts';
import { statsSummary } from './summary.ts';

const netDev = `Inter-|   Receive |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop …
    lo:       9       9    0    0    0     0     0     0        9       9    0    0    0
  eth0:    1000      10    1    2    0     0     0     0     2000      20    3    4    0
`;

test('interfaces are read without the loopback', () => {
  assert.deepEqual(parseNetDev(netDev), [
    {
      name: 'eth0',
      rxBytes: 1000,
      rxPackets: 10,
      rxErrors: 1,
      rxDropped: 2,
      txBytes: 2000,
      txPackets: 20,
      txErrors: 3,
      txDropped: 4,
    },
  ]);
});

const some = { avg10: 1.5, avg60: 0, avg300: 0, totalUs: 2e6 };
const swapOf = { swapAvailableBytes: 90, swapUsageBytes: 10 };
const details: CgroupDetails = {
  cpuUserNanoseconds: 1e9,
  cpuSystemNanoseconds: 1e9,
  cfsPeriods: 9,
  cfsThrottledPeriods: 4,
  cfsThrottledNanoseconds: 5e8,
  cpuShares: 1024,
  cpuQuotaUs: 50_000,
  cpuPeriodUs: 100_000,
  memoryCacheBytes: 1,
  memoryMappedBytes: 1,
  memorySwapBytes: 10,
  memoryMaxUsageBytes: 9,
  memoryFailures: 0,
  memoryReservationBytes: 0,
  memoryLimitBytes: 1024,
  memorySwapLimitBytes: 100,
  oomKills: 0,
  threads: 1,
  maxThreads: undefined,
  cpuPressure: { some, full: { ...some, totalUs: 0 } },
};

function statsOf(): GatheredStats {
  const pod = testPod('web', { containers: [testContainer('c')] });
  pod.metadata.uid = 'u1';
  const fs = { capacityBytes: 100, availableBytes: 60, inodes: 10, inodesFree: 4 };
  const cgroup = {
    cpuUsageNanoseconds: 3e9,
    memoryUsageBytes: 30,
    memoryWorkingSetBytes: 20,
    memoryRssBytes: 10,
    memoryLimitBytes: undefined,
    pageFaults: 1,
    majorPageFaults: 0,
    processCount: 2,
  };
  return {
    node: {
      memoryAvailableBytes: 5,
      nodeFs: fs,
      imageFs: fs,
      maxPid: 10,
      processCount: 3,
      cpuUsageNanoseconds: 9e9,
      memoryBytes: 50,
      startTimeMs: 0,
    },
    nodeNetwork: parseNetDev(netDev),
    allPods: cgroup,
    pods: [
      {
        pod,
        path: '/kubepods/podu1',
        cgroup,
        containers: [
          {
            name: 'c',
            id: 'id1',
            image: 'test:1',
            startTimeMs: 1000,
            stats: {
              cpu: { timestamp: 1, usageCoreNanoSeconds: { value: 2e9 } },
              memory: { timestamp: 1, workingSetBytes: { value: 8 } },
              writableLayer: { timestamp: 1, usedBytes: { value: 7 }, inodesUsed: { value: 1 } },
            },
            details,
          },
        ],
        network: parseNetDev(netDev),
        claims: [
          {
            volumeName: 'data',
            claim: { name: 'd', namespace: 'default' },
            fs: { capacityBytes: 100, availableBytes: 40, inodes: 10, inodesFree: 4 },
          },
        ],
        files: {
          atMs: 0,
          logs: new Map([['c', { usedBytes: 5, inodesUsed: 1 }]]),
          volumes: new Map([
            ['scratch', { usedBytes: 11, inodesUsed: 2, isInMemory: false }],
            ['token', { usedBytes: 100, inodesUsed: 3, isInMemory: true }],
          ]),
        },
      },
    ],
  };
}

test('the summary tells swap and waiting where the kernel measures them', () => {
  const rates = createCpuRates(new FakeClock());
  const options = { nodeName: 'n1', nowMs: 0, rates, isBrief: false };
  const { pods } = statsSummary(statsOf(), options) as {
    pods: {
      containers: {
        swap: { swapUsageBytes: number; swapAvailableBytes: number };
        cpu: { psi: { some: { total: number; avg10: number } } };
        memory: { availableBytes: number };
      }[];
    }[];
  };
  const container = pods[0]?.containers[0];
  assert.deepEqual(container?.swap, { time: container?.swap && formatTime(0), ...swapOf });
  assert.deepEqual(container?.cpu.psi.some, { total: 2e9, avg10: 1.5, avg60: 0, avg300: 0 });
  assert.equal(container?.memory.availableBytes, 1024 - 8);
});

test('the summary has networks, volumes, logs and ephemeral storage without memory', () => {
  const clock = new FakeClock();
  const rates = createCpuRates(clock);
  const options = { nodeName: 'n1', nowMs: 0, rates, isBrief: false };
  const { node, pods } = statsSummary(statsOf(), options) as {
    node: { network: { rxBytes: number }; systemContainers: { name: string }[] };
    pods: {
      network: { name: string; interfaces: unknown[] };
      volume: { name: string; usedBytes: number; pvcRef?: { name: string } }[];
      'ephemeral-storage': { usedBytes: number; capacityBytes: number };
      containers: { logs: { usedBytes: number }; rootfs: { usedBytes: number } }[];
    }[];
  };
  assert.equal(node.network.rxBytes, 1000);
  assert.equal(node.systemContainers[0]?.name, 'pods');
  const [pod] = pods;
  assert.equal(pod?.network.name, 'eth0');
  assert.deepEqual(
    pod?.volume.map(({ name, usedBytes }) => [name, usedBytes]),
    [
      ['scratch', 11],
      ['token', 100],
      ['data', 60],
    ],
  );
  assert.deepEqual(pod?.volume.at(-1)?.pvcRef, { name: 'd', namespace: 'default' });
  assert.equal(pod?.['ephemeral-storage'].usedBytes, 7 + 5 + 11);
  assert.equal(pod?.containers[0]?.logs.usedBytes, 5);
});

const nobody = { container: '', id: '', image: '', name: '', namespace: '', pod: '' };

test('cAdvisor rows name pods and containers as upstream', () => {
  const metrics = cadvisorSeries(statsOf(), { nowMs: 7, cpuCount: 4 });
  const rows = (name: string) => metrics.find((one) => one.name === name)?.samples;
  assert.deepEqual(
    rows('container_cpu_usage_seconds_total')?.map(({ labels, value }) => [labels, value]),
    [
      [{ ...nobody, cpu: 'total', id: '/kubepods' }, 3],
      [
        {
          ...nobody,
          cpu: 'total',
          id: '/kubepods/podu1',
          namespace: 'default',
          pod: 'web',
        },
        3,
      ],
      [
        {
          container: 'c',
          cpu: 'total',
          id: '/kubepods/podu1/id1',
          image: 'test:1',
          name: 'id1',
          namespace: 'default',
          pod: 'web',
        },
        2,
      ],
    ],
  );
  const [throttled] = rows('container_cpu_cfs_throttled_periods_total') ?? [];
  assert.equal(throttled?.labels['container'], 'c');
  assert.equal(throttled?.value, 4);
  assert.equal(rows('container_spec_memory_limit_bytes')?.[0]?.value, 1024);
  assert.equal(rows('container_pressure_cpu_waiting_seconds_total')?.[0]?.value, 2);
  const [received] = rows('container_network_receive_bytes_total') ?? [];
  assert.equal(received?.value, 1000);
  assert.equal(received?.labels['interface'], 'eth0');
  assert.equal(rows('machine_cpu_cores')?.[0]?.value, 4);
});

test('files of a pod are walked once a minute', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-files-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const clock = new FakeClock();
  const read = createPodFilesReader({ rootDirectory: root, podLogs: join(root, 'logs'), clock });
  const pod = testPod('web', { volumes: [{ name: 'v', emptyDir: {} }] });
  pod.metadata.uid = 'u1';
  const directory = join(root, 'pods/u1/volumes/kubernetes.io~empty-dir/v');
  await mkdir(directory, { recursive: true });
  const inodes = async () => (await read(pod, ['c'])).volumes.get('v')?.inodesUsed;
  assert.equal(await inodes(), 1);
  await writeFile(join(directory, 'file'), 'x');
  assert.equal(await inodes(), 1);
  await clock.advance(61_000);
  assert.equal(await inodes(), 2);
});
