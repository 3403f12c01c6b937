import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

import type { BuildInfo } from '../health/version.ts';
import { gitVersion } from '../health/version.ts';

/**
 * What every process tells of itself: processor time, memory, age, version. The Go ones that have a
 * counterpart in Node are given under their names.
 */
export function addProcessMetrics(
  registry: MetricRegistry,
  options: { clock: Clock; build: BuildInfo; platform: string },
): void {
  const { clock, build, platform } = options;
  const plain = (name: string, help: string) => ({ name, help, stability: 'STABLE' as const });
  const cpu = registry.counter(plain('process_cpu_seconds_total', 'Processor time in seconds.'));
  const memory = registry.gauge(plain('process_resident_memory_bytes', 'Memory in RAM in bytes.'));
  const virtual = registry.gauge(plain('process_virtual_memory_bytes', 'Address space in bytes.'));
  const started = registry.gauge(
    plain('process_start_time_seconds', 'Start of the process in seconds since 1970.'),
  );
  const heap = registry.gauge(plain('go_memstats_heap_inuse_bytes', 'Heap in use in bytes.'));
  const heapTotal = registry.gauge(plain('go_memstats_heap_sys_bytes', 'Heap taken in bytes.'));
  const info = registry.gauge({
    ...plain('go_info', 'The runtime, under the name that dashboards ask for.'),
    labels: ['version'],
  });
  const built = registry.gauge({
    name: 'kubernetes_build_info',
    help: 'Version of this program; always 1.',
    stability: 'BETA',
    labels: [
      'build_date',
      'compiler',
      'git_commit',
      'git_tree_state',
      'git_version',
      'go_version',
      'major',
      'minor',
      'platform',
    ],
  });
  const runtime = `node${process.version}`;
  info.with(runtime).value = 1;
  built.with(
    build.buildDate,
    'node',
    build.gitCommit,
    'clean',
    gitVersion,
    runtime,
    '1',
    '36',
    platform,
  ).value = 1;
  const startSeconds = (clock.now() - process.uptime() * 1000) / 1000;
  started.with().value = startSeconds;
  const registered = registry.gauge({
    name: 'registered_metrics_total',
    help: 'Metrics that are registered, by stability.',
    stability: 'BETA',
    labels: ['deprecated_version', 'stability_level'],
  });
  registry.onCollect(() => {
    const used = process.cpuUsage();
    cpu.with().value = (used.user + used.system) / 1e6;
    const { rss, heapUsed, heapTotal: total, external } = process.memoryUsage();
    memory.with().value = rss;
    virtual.with().value = rss + external;
    heap.with().value = heapUsed;
    heapTotal.with().value = total;
    for (const [stability, count] of registry.countByStability()) {
      registered.with('', stability).value = count;
    }
  });
}
