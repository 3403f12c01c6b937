import type { MetricRegistry } from '#base/metrics.ts';
import type { ResourceInfo } from '#schema/mod.ts';

const sizeBuckets = [1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];

/** Counts an event that was sent to a watcher. */
export type CountWatchEvent = (sizeBytes: number) => void;

/** Upstream's metrics of watches; the result is asked once for each watch. */
export function createWatchMetrics(
  registry: MetricRegistry,
): (info: ResourceInfo) => CountWatchEvent {
  const labels = ['group', 'resource', 'version'];
  const totals = registry.counter({
    name: 'apiserver_watch_events_total',
    help: 'Events sent to watching clients.',
    stability: 'ALPHA',
    labels,
  });
  const sizes = registry.histogram({
    name: 'apiserver_watch_events_sizes',
    help: 'Size of events sent to watching clients in bytes.',
    stability: 'ALPHA',
    labels,
    buckets: sizeBuckets,
  });
  return ({ group, resource, version }) => {
    const total = totals.with(group, resource, version);
    const size = sizes.with(group, resource, version);
    return (sizeBytes) => {
      total.value++;
      size.observe(sizeBytes);
    };
  };
}
