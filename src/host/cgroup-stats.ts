import { hasCode } from '#base/errors.ts';
import { cgroupReader, parseFlatKeyed, parseLimit } from './cgroup-files.ts';
import type { ReadCgroupFile } from './cgroup-files.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

/** What a cgroup and all below it use. */
export interface CgroupStats {
  readonly cpuUsageNanoseconds: number;
  readonly memoryUsageBytes: number;
  /** Usage without the inactive file cache: what eviction and `kubectl top` look at. */
  readonly memoryWorkingSetBytes: number;
  readonly memoryRssBytes: number;
  /** Undefined without a limit. */
  readonly memoryLimitBytes: number | undefined;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
  readonly processCount: number;
}

/** Reads the usage of a cgroup; undefined when it is gone. Missing controllers count as 0. */
export async function readCgroupStats(
  layout: CgroupLayout,
  path: string,
): Promise<CgroupStats | undefined> {
  const read = cgroupReader(layout, path);
  try {
    return layout.version === 1 ? await readVersionOne(read) : await readVersionTwo(read);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENODEV')) return undefined;
    throw error;
  }
}

async function readVersionOne(read: ReadCgroupFile): Promise<CgroupStats> {
  const [usage, limit, statText, cpu, pids] = await Promise.all([
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.limit_in_bytes'),
    read('memory', 'memory.stat'),
    read('cpuacct', 'cpuacct.usage'),
    read('pids', 'pids.current'),
  ]);
  const stat = parseFlatKeyed(statText);
  const memoryUsageBytes = Number(usage);
  const inactive = stat.get('total_inactive_file') ?? 0;
  return {
    cpuUsageNanoseconds: Number(cpu),
    memoryUsageBytes,
    memoryWorkingSetBytes: Math.max(memoryUsageBytes - inactive, 0),
    memoryRssBytes: stat.get('total_rss') ?? 0,
    memoryLimitBytes: parseLimit(limit),
    pageFaults: stat.get('total_pgfault') ?? 0,
    majorPageFaults: stat.get('total_pgmajfault') ?? 0,
    processCount: Number(pids),
  };
}

async function readVersionTwo(read: ReadCgroupFile): Promise<CgroupStats> {
  const [usage, limit, statText, cpuText, pids] = await Promise.all([
    read('memory', 'memory.current'),
    read('memory', 'memory.max'),
    read('memory', 'memory.stat'),
    read('cpu', 'cpu.stat'),
    read('pids', 'pids.current'),
  ]);
  const stat = parseFlatKeyed(statText);
  const memoryUsageBytes = Number(usage);
  return {
    cpuUsageNanoseconds: (parseFlatKeyed(cpuText).get('usage_usec') ?? 0) * 1000,
    memoryUsageBytes,
    memoryWorkingSetBytes: Math.max(memoryUsageBytes - (stat.get('inactive_file') ?? 0), 0),
    memoryRssBytes: stat.get('anon') ?? 0,
    memoryLimitBytes: parseLimit(limit),
    pageFaults: stat.get('pgfault') ?? 0,
    majorPageFaults: stat.get('pgmajfault') ?? 0,
    processCount: Number(pids),
  };
}
