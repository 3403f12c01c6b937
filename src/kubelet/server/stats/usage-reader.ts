import { readFile } from 'node:fs/promises';
import type { CgroupLayout } from '#host/cgroup-layout.ts';
import { readCgroupStats } from '#host/cgroup-stats.ts';
import { parsePressure, readCgroupDetails } from '#host/cgroup-details.ts';
import type { CgroupDetails, PressurePair } from '#host/cgroup-details.ts';
import type { CgroupStats } from '#host/cgroup-stats.ts';
import { memInfoBytes } from '#host/machine.ts';
import type { Clock } from '#base/clock.ts';
import type { Pod } from '#schema/types.ts';
import type { MachineInfo, MachineUsage } from '../../machine-info.ts';
import { specOf } from '../../pods/names.ts';
import { parseNetDev, readPodNetwork } from './network.ts';
import type { InterfaceStats } from './network.ts';
import { createPodFilesReader } from './pod-files.ts';
import type { PodFiles } from './pod-files.ts';
import type { PodCgroups } from '../../volume-host.ts';

export interface NodeUsage extends MachineUsage {
  readonly cpuUsageNanoseconds: number;
  readonly memoryBytes: number;
  readonly cpuCount?: number | undefined;
  readonly swapBytes?: number | undefined;
  readonly swapFreeBytes?: number | undefined;
  /** Where the kernel measures it. */
  readonly pressure?: { readonly [what in 'cpu' | 'memory' | 'io']?: PressurePair } | undefined;
  readonly startTimeMs: number;
}

/** What node and pods use now; containers come from the runtime. */
export interface UsageReader {
  node(): Promise<NodeUsage>;
  /** Undefined when the pod has no cgroup (any more). */
  pod(pod: Pod): Promise<CgroupStats | undefined>;
  /** The path of the pod's cgroup. */
  pathOf?(pod: Pod): string;
  /** Of a cgroup; undefined when it is gone. */
  details?(path: string): Promise<CgroupDetails | undefined>;
  /** The pod's interfaces; undefined for pods on the host's network and those without processes. */
  network?(pod: Pod): Promise<InterfaceStats[] | undefined>;
  nodeNetwork?(): Promise<InterfaceStats[]>;
  /** What all pods use together. */
  allPods?(): Promise<CgroupStats | undefined>;
  files?(pod: Pod, containers: readonly string[]): Promise<PodFiles>;
}

/** Nanoseconds of one tick in /proc/stat. */
const tickNanoseconds = 10_000_000;

/** Reads from /proc and from the cgroups that the kubelet made. */
export function createUsageReader(options: {
  layout: CgroupLayout;
  cgroups: Pick<PodCgroups, 'parentOf'>;
  machine: Pick<MachineInfo, 'memoryBytes'> & Partial<Pick<MachineInfo, 'cpuCount'>>;
  machineUsage: () => Promise<MachineUsage>;
  /** Where pods' files are; absent: they are not counted. */
  files?: { rootDirectory: string; podLogs: string; clock: Clock } | undefined;
}): UsageReader {
  const { layout, cgroups, machine, machineUsage } = options;
  const files = options.files === undefined ? undefined : createPodFilesReader(options.files);
  return {
    async node() {
      const [usage, stat, memInfo, pressure] = await Promise.all([
        machineUsage(),
        readFile('/proc/stat', 'utf8'),
        readFile('/proc/meminfo', 'utf8'),
        layout.version === 2 ? readPressure() : undefined,
      ]);
      const { memoryBytes, cpuCount } = machine;
      const swapBytes = memInfoBytes(memInfo, 'SwapTotal');
      const swapFreeBytes = memInfoBytes(memInfo, 'SwapFree');
      const more = { memoryBytes, cpuCount, swapBytes, swapFreeBytes, pressure };
      return { ...usage, ...parseProcStat(stat), ...more };
    },
    pathOf: (pod) => cgroups.parentOf(pod),
    details: (path) => readCgroupDetails(layout, path),
    pod: (pod) => readCgroupStats(layout, cgroups.parentOf(pod)),
    network: async (pod) =>
      specOf(pod).hostNetwork === true
        ? undefined
        : await readPodNetwork(layout, cgroups.parentOf(pod)),
    nodeNetwork: async () => parseNetDev(await readFile('/proc/net/dev', 'utf8')),
    allPods: () => readCgroupStats(layout, '/kubepods'),
    ...(files === undefined ? {} : { files }),
  };
}

async function readPressure(): Promise<NodeUsage['pressure']> {
  const [cpu = '', memory = '', io = ''] = await Promise.all(
    ['cpu', 'memory', 'io'].map((what) =>
      readFile(`/proc/pressure/${what}`, 'utf8').catch(() => ''),
    ),
  );
  if (cpu === '') return undefined;
  return { cpu: parsePressure(cpu), memory: parsePressure(memory), io: parsePressure(io) };
}

/** Busy time of all processors and the time of the last start, from /proc/stat. */
export function parseProcStat(text: string): { cpuUsageNanoseconds: number; startTimeMs: number } {
  const lines = text.split('\n');
  const cpu = (lines[0] ?? '').trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0, stolen = 0] = cpu;
  const ticks = user + nice + system + interrupts + softInterrupts + stolen;
  const startSeconds = Number(/^btime (\d+)$/m.exec(text)?.[1] ?? 0);
  return { cpuUsageNanoseconds: ticks * tickNanoseconds, startTimeMs: startSeconds * 1000 };
}
