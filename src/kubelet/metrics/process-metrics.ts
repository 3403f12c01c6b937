import { readdir, readFile } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

/** What the process tells of itself, under Prometheus' own names. */
export function addProcessMetrics(registry: MetricRegistry, { clock }: { clock: Clock }): void {
  const gauge = (name: string, help: string) =>
    registry.gauge({ name, help, stability: 'STABLE' }).with();
  const cpu = registry
    .counter({
      name: 'process_cpu_seconds_total',
      help: 'Processor time in seconds.',
      stability: 'STABLE',
    })
    .with();
  const resident = gauge('process_resident_memory_bytes', 'Memory in RAM in bytes.');
  const virtual = gauge('process_virtual_memory_bytes', 'Address space in bytes.');
  const files = gauge('process_open_fds', 'Open files.');
  const maxFiles = gauge('process_max_fds', 'Files that may be open.');
  gauge('process_start_time_seconds', 'Start of the process in seconds since 1970.').value =
    (clock.now() - process.uptime() * 1000) / 1000;
  registry.onCollect(async () => {
    const used = process.cpuUsage();
    cpu.value = (used.user + used.system) / 1e6;
    resident.value = process.memoryUsage.rss();
    const [status, limits, open] = await Promise.all([
      readFile('/proc/self/status', 'utf8').catch(() => ''),
      readFile('/proc/self/limits', 'utf8').catch(() => ''),
      readdir('/proc/self/fd').catch(() => []),
    ]);
    virtual.value = Number(/^VmSize:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    maxFiles.value = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
    files.value = open.length;
  });
}
