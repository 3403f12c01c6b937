import type { CgroupDetails } from '#host/cgroup-details.ts';
import type { CgroupStats } from '#host/cgroup-stats.ts';
import { cadvisorRows } from './cadvisor-rows.ts';
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

/** What a row of a series reads: a container, or a cgroup of pods. */
export interface Source {
  readonly labels: Readonly<Record<string, string>>;
  readonly container?: PodUsage['containers'][number] | undefined;
  readonly cgroup?: CgroupStats | undefined;
  readonly details?: CgroupDetails | undefined;
  readonly pod?: PodUsage | undefined;
}

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

/** The cgroup of all pods, then each pod and its containers. */
function sourcesOf({ pods, allPods }: GatheredStats): Source[] {
  const none = { container: '', id: '/kubepods', image: '', name: '', namespace: '', pod: '' };
  const all: Source = { labels: none, cgroup: allPods };
  const each = pods.flatMap((usage) => {
    const { name: pod, namespace = '' } = usage.pod.metadata;
    const own = { container: '', id: usage.path, image: '', name: '', namespace, pod };
    const containers = usage.containers.map((container): Source => ({
      labels: {
        container: container.name,
        id: `${own.id}/${container.id}`,
        image: container.image,
        name: container.id,
        namespace,
        pod,
      },
      container,
      details: container.details,
    }));
    return [
      { labels: own, pod: usage, cgroup: usage.cgroup, details: usage.details },
      ...containers,
    ];
  });
  return [...(allPods === undefined ? [] : [all]), ...each];
}

/** Everything of /metrics/cadvisor in its text's order; rows without a value are left out. */
export function cadvisorSeries(
  stats: GatheredStats,
  { nowMs, cpuCount }: { nowMs: number; cpuCount: number },
): Metric[] {
  const sources = sourcesOf(stats);
  const rows = cadvisorRows.map(({ name, type, help, value, labels: more }): Metric => {
    const samples = sources.flatMap((source) => {
      const found = value(source, nowMs);
      if (found === undefined) return [];
      return [{ labels: { ...source.labels, ...more }, value: found, timestampMs: nowMs }];
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
    machine(
      'machine_swap_bytes',
      'Amount of swap memory available on the machine.',
      stats.node.swapBytes ?? 0,
    ),
    machine('machine_scrape_error', '1 if the machine could not be read, 0 otherwise.', 0),
  ];
}
