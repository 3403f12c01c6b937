import { hasCode } from '#base/errors.ts';
import { cgroupReader, parseFlatKeyed, parseLimit } from './cgroup-files.ts';
import type { ReadCgroupFile } from './cgroup-files.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

/** How long tasks waited for something; percent of the last seconds and microseconds in all. */
export interface Pressure {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly totalUs: number;
}

export interface PressurePair {
  readonly some: Pressure;
  readonly full: Pressure;
}

/** What dashboards show of a cgroup besides its usage. Numbers nobody tells are undefined. */
export interface CgroupDetails {
  readonly cpuUserNanoseconds: number;
  readonly cpuSystemNanoseconds: number;
  readonly cfsPeriods: number;
  readonly cfsThrottledPeriods: number;
  readonly cfsThrottledNanoseconds: number;
  readonly cpuShares: number | undefined;
  /** Undefined without a quota. */
  readonly cpuQuotaUs: number | undefined;
  readonly cpuPeriodUs: number | undefined;
  readonly memoryCacheBytes: number;
  readonly memoryMappedBytes: number;
  readonly memorySwapBytes: number;
  readonly memoryMaxUsageBytes: number;
  readonly memoryFailures: number;
  readonly memoryReservationBytes: number;
  /** Undefined without a limit. */
  readonly memoryLimitBytes: number | undefined;
  readonly memorySwapLimitBytes: number | undefined;
  readonly oomKills: number;
  readonly threads: number;
  /** Undefined without a limit. */
  readonly maxThreads: number | undefined;
  /** Version 2 with a kernel that measures it. */
  readonly cpuPressure?: PressurePair | undefined;
  readonly memoryPressure?: PressurePair | undefined;
  readonly ioPressure?: PressurePair | undefined;
}

/** Reads them; undefined when the cgroup is gone. */
export async function readCgroupDetails(
  layout: CgroupLayout,
  path: string,
): Promise<CgroupDetails | undefined> {
  let isThere = false;
  const readFile = cgroupReader(layout, path);
  const read: ReadCgroupFile = async (controller, file) => {
    try {
      const text = await readFile(controller, file);
      isThere ||= layout.controllers.has(controller);
      return text;
    } catch (error) {
      // Some files are there only with some kernels, or not at the root.
      const isExpected = ['ENOENT', 'ENODEV', 'EOPNOTSUPP'].some((code) => hasCode(error, code));
      if (isExpected) return '';
      throw error;
    }
  };
  const details = await (layout.version === 1 ? versionOne(read) : versionTwo(read));
  return isThere ? details : undefined;
}

/** Version 1 limits memory and swap together. */
function difference(both: number | undefined, memory: number | undefined): number | undefined {
  return both === undefined || memory === undefined ? undefined : Math.max(both - memory, 0);
}

async function versionOne(read: ReadCgroupFile): Promise<CgroupDetails> {
  const [user, system, cpuText, shares, quota, period, pids, maxPids] = await Promise.all([
    read('cpuacct', 'cpuacct.usage_user'),
    read('cpuacct', 'cpuacct.usage_sys'),
    read('cpu', 'cpu.stat'),
    read('cpu', 'cpu.shares'),
    read('cpu', 'cpu.cfs_quota_us'),
    read('cpu', 'cpu.cfs_period_us'),
    read('pids', 'pids.current'),
    read('pids', 'pids.max'),
  ]);
  const [memoryText, max, failures, soft, bytes, swap, oom] = await Promise.all([
    read('memory', 'memory.stat'),
    read('memory', 'memory.max_usage_in_bytes'),
    read('memory', 'memory.failcnt'),
    read('memory', 'memory.soft_limit_in_bytes'),
    read('memory', 'memory.limit_in_bytes'),
    read('memory', 'memory.memsw.limit_in_bytes'),
    read('memory', 'memory.oom_control'),
  ]);
  const cpu = parseFlatKeyed(cpuText);
  const memory = parseFlatKeyed(memoryText);
  return {
    cpuUserNanoseconds: Number(user),
    cpuSystemNanoseconds: Number(system),
    cfsPeriods: cpu.get('nr_periods') ?? 0,
    cfsThrottledPeriods: cpu.get('nr_throttled') ?? 0,
    cfsThrottledNanoseconds: cpu.get('throttled_time') ?? 0,
    cpuShares: parseLimit(shares),
    cpuQuotaUs: parseLimit(quota),
    cpuPeriodUs: parseLimit(period),
    memoryCacheBytes: memory.get('total_cache') ?? 0,
    memoryMappedBytes: memory.get('total_mapped_file') ?? 0,
    memorySwapBytes: memory.get('total_swap') ?? 0,
    memoryMaxUsageBytes: Number(max),
    memoryFailures: Number(failures),
    memoryReservationBytes: parseLimit(soft) ?? 0,
    memoryLimitBytes: parseLimit(bytes),
    memorySwapLimitBytes: difference(parseLimit(swap), parseLimit(bytes)),
    oomKills: parseFlatKeyed(oom).get('oom_kill') ?? 0,
    threads: Number(pids),
    maxThreads: parseLimit(maxPids),
  };
}

async function versionTwo(read: ReadCgroupFile): Promise<CgroupDetails> {
  const [cpuText, weight, cpuMax, pids, maxPids, cpuPsi, memoryPsi, ioPsi] = await Promise.all([
    read('cpu', 'cpu.stat'),
    read('cpu', 'cpu.weight'),
    read('cpu', 'cpu.max'),
    read('pids', 'pids.current'),
    read('pids', 'pids.max'),
    read('cpu', 'cpu.pressure'),
    read('memory', 'memory.pressure'),
    read('io', 'io.pressure'),
  ]);
  const [memoryText, swap, peak, eventText, low, max, swapMax] = await Promise.all([
    read('memory', 'memory.stat'),
    read('memory', 'memory.swap.current'),
    read('memory', 'memory.peak'),
    read('memory', 'memory.events'),
    read('memory', 'memory.low'),
    read('memory', 'memory.max'),
    read('memory', 'memory.swap.max'),
  ]);
  const cpu = parseFlatKeyed(cpuText);
  const memory = parseFlatKeyed(memoryText);
  const events = parseFlatKeyed(eventText);
  const [quota = '', period = ''] = cpuMax.split(' ');
  const us = (key: string): number => (cpu.get(key) ?? 0) * 1000;
  return {
    cpuUserNanoseconds: us('user_usec'),
    cpuSystemNanoseconds: us('system_usec'),
    cfsPeriods: cpu.get('nr_periods') ?? 0,
    cfsThrottledPeriods: cpu.get('nr_throttled') ?? 0,
    cfsThrottledNanoseconds: us('throttled_usec'),
    // As cAdvisor, which knows the linear rule only.
    cpuShares: weight === '' ? undefined : 2 + Math.floor(((Number(weight) - 1) * 262_142) / 9999),
    cpuQuotaUs: parseLimit(quota),
    cpuPeriodUs: parseLimit(period),
    memoryCacheBytes: memory.get('file') ?? 0,
    memoryMappedBytes: memory.get('file_mapped') ?? 0,
    memorySwapBytes: Number(swap),
    memoryMaxUsageBytes: Number(peak),
    memoryFailures: events.get('max') ?? 0,
    memoryReservationBytes: parseLimit(low) ?? 0,
    memoryLimitBytes: parseLimit(max),
    memorySwapLimitBytes: parseLimit(swapMax),
    oomKills: events.get('oom_kill') ?? 0,
    threads: Number(pids),
    maxThreads: parseLimit(maxPids),
    ...pressures({ cpuPressure: cpuPsi, memoryPressure: memoryPsi, ioPressure: ioPsi }),
  };
}

function pressures(texts: Readonly<Record<string, string>>): Record<string, PressurePair> {
  return Object.fromEntries(
    Object.entries(texts)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [name, parsePressure(text)]),
  );
}

const noPressure: Pressure = { avg10: 0, avg60: 0, avg300: 0, totalUs: 0 };

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same for full; also of /proc/pressure. */
export function parsePressure(text: string): PressurePair {
  const line = (kind: string): Pressure => {
    const found = text.split('\n').find((one) => one.startsWith(`${kind} `));
    if (found === undefined) return noPressure;
    const value = (key: string): number =>
      Number(new RegExp(`${key}=([\\d.]+)`).exec(found)?.[1] ?? 0);
    return {
      avg10: value('avg10'),
      avg60: value('avg60'),
      avg300: value('avg300'),
      totalUs: value('total'),
    };
  };
  return { some: line('some'), full: line('full') };
}
