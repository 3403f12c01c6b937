import type { CgroupDetails } from '#host/cgroup-details.ts';
import type { Metric, Source } from './cadvisor-series.ts';

interface Row {
  readonly name: string;
  readonly type: Metric['type'];
  readonly help: string;
  readonly value: (source: Source, nowMs: number) => number | undefined;
  /** Labels besides those that every row has. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

const seconds = (nanoseconds: number | undefined): number | undefined =>
  nanoseconds === undefined ? undefined : nanoseconds / 1e9;

function row(
  type: Metric['type'],
  name: string,
  help: string,
  value: Row['value'],
  labels?: Row['labels'],
): Row {
  return { name: `container_${name}`, type, help, value, labels };
}

/** A row that the kernel's files of the cgroup tell. */
function detail(
  type: Metric['type'],
  name: string,
  help: string,
  value: (details: CgroupDetails) => number | undefined,
): Row {
  return row(type, name, help, ({ details }) =>
    details === undefined ? undefined : value(details),
  );
}

const cpuRows: readonly Row[] = [
  detail('counter', 'cpu_cfs_periods_total', 'Periods of a CPU limit.', (one) =>
    one.cpuQuotaUs === undefined ? undefined : one.cfsPeriods,
  ),
  detail('counter', 'cpu_cfs_throttled_periods_total', 'Periods that ended early.', (one) =>
    one.cpuQuotaUs === undefined ? undefined : one.cfsThrottledPeriods,
  ),
  detail('counter', 'cpu_cfs_throttled_seconds_total', 'Time lost to a CPU limit.', (one) =>
    one.cpuQuotaUs === undefined ? undefined : seconds(one.cfsThrottledNanoseconds),
  ),
  detail('counter', 'cpu_system_seconds_total', 'Cumulative system cpu time in seconds.', (one) =>
    seconds(one.cpuSystemNanoseconds),
  ),
  row(
    'counter',
    'cpu_usage_seconds_total',
    'Cumulative cpu time consumed in seconds.',
    ({ container, cgroup }) =>
      seconds(
        container === undefined
          ? cgroup?.cpuUsageNanoseconds
          : container.stats.cpu?.usageCoreNanoSeconds?.value,
      ),
    { cpu: 'total' },
  ),
  detail('counter', 'cpu_user_seconds_total', 'Cumulative user cpu time in seconds.', (one) =>
    seconds(one.cpuUserNanoseconds),
  ),
];

const memoryRows: readonly Row[] = [
  detail(
    'gauge',
    'memory_cache',
    'Number of bytes of page cache memory.',
    (one) => one.memoryCacheBytes,
  ),
  detail(
    'counter',
    'memory_failcnt',
    'How often a memory limit was hit.',
    (one) => one.memoryFailures,
  ),
  detail(
    'gauge',
    'memory_mapped_file',
    'Size of memory mapped files in bytes.',
    (one) => one.memoryMappedBytes,
  ),
  detail(
    'gauge',
    'memory_max_usage_bytes',
    'Maximum memory usage recorded in bytes',
    (one) => one.memoryMaxUsageBytes,
  ),
  row('gauge', 'memory_rss', 'Size of RSS in bytes.', ({ container, cgroup }) =>
    container === undefined ? cgroup?.memoryRssBytes : container.stats.memory?.rssBytes?.value,
  ),
  detail('gauge', 'memory_swap', 'Container swap usage in bytes.', (one) => one.memorySwapBytes),
  row(
    'gauge',
    'memory_usage_bytes',
    'Current memory usage in bytes, including all memory regardless of when it was accessed',
    ({ container, cgroup }) =>
      container === undefined
        ? cgroup?.memoryUsageBytes
        : container.stats.memory?.usageBytes?.value,
  ),
  row(
    'gauge',
    'memory_working_set_bytes',
    'Current working set in bytes.',
    ({ container, cgroup }) =>
      container === undefined
        ? cgroup?.memoryWorkingSetBytes
        : container.stats.memory?.workingSetBytes?.value,
  ),
  detail(
    'counter',
    'oom_events_total',
    'Count of out of memory events observed for the container',
    (one) => one.oomKills,
  ),
];

const pressureRows = (['cpu', 'memory', 'io'] as const).flatMap((what) =>
  (
    [
      ['stalled', 'full'],
      ['waiting', 'some'],
    ] as const
  ).map(([how, kind]) =>
    detail(
      'counter',
      `pressure_${what}_${how}_seconds_total`,
      `Total time that tasks were ${how} for ${what}.`,
      (one) => {
        const pair = { cpu: one.cpuPressure, memory: one.memoryPressure, io: one.ioPressure }[what];
        return pair === undefined ? undefined : pair[kind].totalUs / 1e6;
      },
    ),
  ),
);

const specRows: readonly Row[] = [
  detail('gauge', 'spec_cpu_period', 'CPU period of the container.', (one) => one.cpuPeriodUs),
  detail('gauge', 'spec_cpu_quota', 'CPU quota of the container.', (one) => one.cpuQuotaUs),
  detail('gauge', 'spec_cpu_shares', 'CPU share of the container.', (one) => one.cpuShares),
  detail(
    'gauge',
    'spec_memory_limit_bytes',
    'Memory limit for the container.',
    (one) => one.memoryLimitBytes ?? 0,
  ),
  detail(
    'gauge',
    'spec_memory_reservation_limit_bytes',
    'Memory reservation limit for the container.',
    (one) => one.memoryReservationBytes,
  ),
  detail(
    'gauge',
    'spec_memory_swap_limit_bytes',
    'Memory swap limit for the container.',
    (one) => one.memorySwapLimitBytes ?? 0,
  ),
];

/** Rows of containers and of cgroups under cAdvisor's names, in the order of their names. */
export const cadvisorRows: readonly Row[] = [
  ...cpuRows,
  row(
    'gauge',
    'fs_usage_bytes',
    'Number of bytes that are consumed by the container on this filesystem.',
    ({ container }) => container?.stats.writableLayer?.usedBytes?.value,
  ),
  row('gauge', 'last_seen', 'Last time a container was seen by the exporter', (_one, nowMs) =>
    Math.floor(nowMs / 1000),
  ),
  ...memoryRows,
  ...pressureRows,
  row(
    'gauge',
    'processes',
    'Number of processes running inside the container.',
    ({ cgroup, details }) => cgroup?.processCount ?? details?.threads,
  ),
  ...specRows,
  row(
    'gauge',
    'start_time_seconds',
    'Start time of the container since unix epoch in seconds.',
    ({ container }) => (container === undefined ? undefined : container.startTimeMs / 1000),
  ),
  detail(
    'gauge',
    'threads',
    'Number of threads running inside the container',
    (one) => one.threads,
  ),
  detail(
    'gauge',
    'threads_max',
    'Maximum number of threads allowed inside the container, infinity if value is zero',
    (one) => one.maxThreads ?? 0,
  ),
];
