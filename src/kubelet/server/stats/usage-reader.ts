import { readFile } from 'node:fs/promises';
import type { CgroupLayout } from '#host/cgroup-layout.ts';
import { readCgroupStats } from '#host/cgroup-stats.ts';
import type { CgroupStats } from '#host/cgroup-stats.ts';
import type { Pod } from '#schema/types.ts';
import type { MachineInfo, MachineUsage } from '../../machine-info.ts';
import type { PodCgroups } from '../../volume-host.ts';

export interface NodeUsage extends MachineUsage {
  readonly cpuUsageNanoseconds: number;
  readonly memoryBytes: number;
  readonly startTimeMs: number;
}

/** What node and pods use now; containers come from the runtime. */
export interface UsageReader {
  node(): Promise<NodeUsage>;
  /** Undefined when the pod has no cgroup (any more). */
  pod(pod: Pod): Promise<CgroupStats | undefined>;
}

/** Nanoseconds of one tick in /proc/stat. */
const tickNanoseconds = 10_000_000;

/** Reads from /proc and from the cgroups that the kubelet made. */
export function createUsageReader(options: {
  layout: CgroupLayout;
  cgroups: Pick<PodCgroups, 'parentOf'>;
  machine: Pick<MachineInfo, 'memoryBytes'>;
  machineUsage: () => Promise<MachineUsage>;
}): UsageReader {
  const { layout, cgroups, machine, machineUsage } = options;
  return {
    async node() {
      const [usage, stat] = await Promise.all([machineUsage(), readFile('/proc/stat', 'utf8')]);
      return { ...usage, ...parseProcStat(stat), memoryBytes: machine.memoryBytes };
    },
    pod: (pod) => readCgroupStats(layout, cgroups.parentOf(pod)),
  };
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
