import { cadvisorSeries } from './cadvisor-series.ts';
import type { Metric, Sample } from './cadvisor-series.ts';
import type { GatheredStats, PodUsage } from './gather-stats.ts';

type Labels = Readonly<Record<string, string>>;

/** Prometheus' text form. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(({ labels, value, timestampMs }) => {
        const time = timestampMs === undefined ? '' : ` ${timestampMs}`;
        return `${name}${labelText(labels)} ${value}${time}\n`;
      });
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function podLabels({ pod }: PodUsage): { namespace: string; pod: string } {
  return { namespace: pod.metadata.namespace ?? '', pod: pod.metadata.name };
}

function containerSamples(
  stats: GatheredStats,
  value: (container: PodUsage['containers'][number]) => number | undefined,
  timestampMs: number | undefined,
): Sample[] {
  return stats.pods.flatMap((pod) =>
    pod.containers.flatMap((container) => {
      const found = value(container);
      if (found === undefined) return [];
      const labels = { container: container.name, ...podLabels(pod) };
      return [{ labels, value: found, timestampMs }];
    }),
  );
}

const cpuSeconds = (nanoseconds: number | undefined): number | undefined =>
  nanoseconds === undefined ? undefined : nanoseconds / 1e9;

/** /metrics/resource: what the metrics API and autoscalers read. */
export function resourceMetrics(stats: GatheredStats, nowMs: number): string {
  const { node, pods } = stats;
  const ofPods = (value: (pod: PodUsage) => number | undefined): Sample[] =>
    pods.flatMap((pod) => {
      const found = value(pod);
      return found === undefined
        ? []
        : [{ labels: podLabels(pod), value: found, timestampMs: nowMs }];
    });
  const ofNode = (value: number): Sample[] => [{ labels: {}, value, timestampMs: nowMs }];
  return renderMetrics([
    {
      name: 'container_cpu_usage_seconds_total',
      type: 'counter',
      help: '[STABLE] Cumulative cpu time consumed by the container in core-seconds',
      samples: containerSamples(
        stats,
        ({ stats: one }) => cpuSeconds(one.cpu?.usageCoreNanoSeconds?.value),
        nowMs,
      ),
    },
    {
      name: 'container_memory_working_set_bytes',
      type: 'gauge',
      help: '[STABLE] Current working set of the container in bytes',
      samples: containerSamples(
        stats,
        ({ stats: one }) => one.memory?.workingSetBytes?.value,
        nowMs,
      ),
    },
    {
      name: 'container_swap_limit_bytes',
      type: 'gauge',
      help: '[ALPHA] Current amount of the container swap limit in bytes. Reported only on non-windows systems',
      samples: containerSamples(stats, ({ details }) => details?.memorySwapLimitBytes, nowMs),
    },
    {
      name: 'container_swap_usage_bytes',
      type: 'gauge',
      help: '[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems',
      samples: containerSamples(stats, ({ details }) => details?.memorySwapBytes, nowMs),
    },
    {
      name: 'container_start_time_seconds',
      type: 'gauge',
      help: '[STABLE] Start time of the container since unix epoch in seconds',
      samples: containerSamples(stats, ({ startTimeMs }) => startTimeMs / 1000, undefined),
    },
    {
      name: 'node_cpu_usage_seconds_total',
      type: 'counter',
      help: '[STABLE] Cumulative cpu time consumed by the node in core-seconds',
      samples: ofNode(node.cpuUsageNanoseconds / 1e9),
    },
    {
      name: 'node_memory_working_set_bytes',
      type: 'gauge',
      help: '[STABLE] Current working set of the node in bytes',
      samples: ofNode(node.memoryBytes - node.memoryAvailableBytes),
    },
    {
      name: 'node_swap_usage_bytes',
      type: 'gauge',
      help: '[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems',
      samples:
        node.swapBytes === undefined ? [] : ofNode(node.swapBytes - (node.swapFreeBytes ?? 0)),
    },
    {
      name: 'pod_cpu_usage_seconds_total',
      type: 'counter',
      help: '[STABLE] Cumulative cpu time consumed by the pod in core-seconds',
      samples: ofPods(({ cgroup }) => cpuSeconds(cgroup?.cpuUsageNanoseconds)),
    },
    {
      name: 'pod_memory_working_set_bytes',
      type: 'gauge',
      help: '[STABLE] Current working set of the pod in bytes',
      samples: ofPods(({ cgroup }) => cgroup?.memoryWorkingSetBytes),
    },
    {
      name: 'pod_swap_usage_bytes',
      type: 'gauge',
      help: '[ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems',
      samples: ofPods(({ details }) => details?.memorySwapBytes),
    },
    {
      name: 'resource_scrape_error',
      type: 'gauge',
      help: '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise',
      samples: [{ labels: {}, value: 0 }],
    },
  ]);
}

/** /metrics/cadvisor: what dashboards are built on. */
export function cadvisorMetrics(stats: GatheredStats, nowMs: number): string {
  return renderMetrics(cadvisorSeries(stats, { nowMs, cpuCount: stats.node.cpuCount ?? 0 }));
}
