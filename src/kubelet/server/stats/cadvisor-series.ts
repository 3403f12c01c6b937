import type { GatheredStats, PodUsage } from './gather-stats.ts';
import type { InterfaceStats } from './network.ts';

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
  timestampMs?: number | undefined;
}

export interface Metric {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  samples: readonly Sample[];
}

/** What a row of a series reads: a container, or a pod's cgroup where that says more. */
interface Source {
  readonly labels: Readonly<Record<string, string>>;
  readonly container?: PodUsage['containers'][number] | undefined;
  readonly pod?: PodUsage | undefined;
}

type Series = readonly [
  name: string,
  type: Metric['type'],
  help: string,
  value: (source: Source) => number | undefined,
];

const nano = 1e9;
const seconds = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : value / nano;

/** Container and pod rows under cAdvisor's names. */
const series: readonly Series[] = [
  [
    'container_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed in seconds.',
    ({ container, pod }) =>
      seconds(
        container === undefined
          ? pod?.cgroup?.cpuUsageNanoseconds
          : container.stats.cpu?.usageCoreNanoSeconds?.value,
      ),
  ],
  [
    'container_fs_usage_bytes',
    'gauge',
    'Number of bytes that are consumed by the container on this filesystem.',
    ({ container }) => container?.stats.writableLayer?.usedBytes?.value,
  ],
  [
    'container_memory_rss',
    'gauge',
    'Size of RSS in bytes.',
    ({ container, pod }) =>
      container === undefined
        ? pod?.cgroup?.memoryRssBytes
        : container.stats.memory?.rssBytes?.value,
  ],
  [
    'container_memory_usage_bytes',
    'gauge',
    'Current memory usage in bytes, including all memory regardless of when it was accessed',
    ({ container, pod }) =>
      container === undefined
        ? pod?.cgroup?.memoryUsageBytes
        : container.stats.memory?.usageBytes?.value,
  ],
  [
    'container_memory_working_set_bytes',
    'gauge',
    'Current working set in bytes.',
    ({ container, pod }) =>
      container === undefined
        ? pod?.cgroup?.memoryWorkingSetBytes
        : container.stats.memory?.workingSetBytes?.value,
  ],
  [
    'container_processes',
    'gauge',
    'Number of processes running inside the container.',
    ({ container, pod }) => (container === undefined ? pod?.cgroup?.processCount : undefined),
  ],
  [
    'container_spec_memory_limit_bytes',
    'gauge',
    'Memory limit for the container.',
    ({ container, pod }) =>
      container === undefined ? (pod?.cgroup?.memoryLimitBytes ?? 0) : undefined,
  ],
  [
    'container_start_time_seconds',
    'gauge',
    'Start time of the container since unix epoch in seconds.',
    ({ container }) => (container === undefined ? undefined : container.startTimeMs / 1000),
  ],
];

const networkSeries: readonly (readonly [name: string, help: string, key: keyof InterfaceStats])[] =
  [
    ['receive_bytes', 'bytes received', 'rxBytes'],
    ['receive_errors', 'errors encountered while receiving', 'rxErrors'],
    ['receive_packets', 'packets received', 'rxPackets'],
    ['receive_packets_dropped', 'packets dropped while receiving', 'rxDropped'],
    ['transmit_bytes', 'bytes transmitted', 'txBytes'],
    ['transmit_errors', 'errors encountered while transmitting', 'txErrors'],
    ['transmit_packets', 'packets transmitted', 'txPackets'],
    ['transmit_packets_dropped', 'packets dropped while transmitting', 'txDropped'],
  ];

function sourcesOf({ pods }: GatheredStats): Source[] {
  return pods.flatMap((usage) => {
    const { name: pod, namespace = '', uid = '' } = usage.pod.metadata;
    const own = { container: '', id: `/kubepods/pod${uid}`, image: '', name: '', namespace, pod };
    const containers = usage.containers.map((container) => ({
      labels: {
        container: container.name,
        id: `${own.id}/${container.id}`,
        image: container.image,
        name: container.id,
        namespace,
        pod,
      },
      container,
    }));
    return [{ labels: own, pod: usage }, ...containers];
  });
}

/** Everything of /metrics/cadvisor in its text's order; rows without a value are left out. */
export function cadvisorSeries(
  stats: GatheredStats,
  { nowMs, cpuCount }: { nowMs: number; cpuCount: number },
): Metric[] {
  const sources = sourcesOf(stats);
  const rows = series.map(([name, type, help, value]): Metric => {
    const samples = sources.flatMap((source) => {
      const found = value(source);
      if (found === undefined) return [];
      return [{ labels: source.labels, value: found, timestampMs: nowMs }];
    });
    return { name, type, help, samples };
  });
  const network = networkSeries.map(([name, what, key]): Metric => ({
    name: `container_network_${name}_total`,
    type: 'counter',
    help: `Cumulative count of ${what}`,
    samples: sources.flatMap(({ labels, pod }) =>
      (pod?.network ?? []).map((one) => ({
        labels: { ...labels, interface: one.name },
        value: Number(one[key]),
        timestampMs: nowMs,
      })),
    ),
  }));
  const machine = (name: string, help: string, value: number): Metric => ({
    name,
    type: 'gauge',
    help,
    samples: [{ labels: {}, value, timestampMs: nowMs }],
  });
  return [
    ...rows,
    ...network,
    machine('machine_cpu_cores', 'Number of logical CPU cores.', cpuCount),
    machine(
      'machine_memory_bytes',
      'Amount of memory installed on the machine.',
      stats.node.memoryBytes,
    ),
  ];
}
