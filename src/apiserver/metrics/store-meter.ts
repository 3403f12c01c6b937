import type { Clock } from '#base/clock.ts';
import type { Counter, HistogramSeries, MetricRegistry } from '#base/metrics.ts';

const buckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

export type StoreOperation = 'create' | 'update' | 'delete';

/** Observes how long writes wait for the datastore. */
export interface StoreMeter {
  nowMs(): number;
  observe(operation: StoreOperation, prefix: string, startMs: number): void;
}

/** Upstream's metrics of calls to etcd, whatever the datastore is. */
export function createStoreMeter(options: {
  registry: MetricRegistry;
  clock: Clock;
  /** The kind whose keys start with this prefix. */
  kindOf: (prefix: string) => { group: string; resource: string } | undefined;
}): StoreMeter {
  const { registry, clock, kindOf } = options;
  const labels = ['group', 'operation', 'resource'];
  const seconds = registry.histogram({
    name: 'etcd_request_duration_seconds',
    help: 'Time that calls of the datastore take.',
    stability: 'ALPHA',
    labels,
    buckets,
  });
  const total = registry.counter({
    name: 'etcd_requests_total',
    help: 'Calls of the datastore.',
    stability: 'ALPHA',
    labels,
  });
  const known = new Map<string, { series: HistogramSeries; counter: Counter }>();
  return {
    nowMs: () => clock.monotonicMs(),
    observe(operation, prefix, startMs) {
      const key = `${operation} ${prefix}`;
      let found = known.get(key);
      if (found === undefined) {
        const { group, resource } = kindOf(prefix) ?? { group: '', resource: prefix };
        const values = [group, operation, resource] as const;
        found = { series: seconds.with(...values), counter: total.with(...values) };
        known.set(key, found);
      }
      found.counter.value++;
      found.series.observe((clock.monotonicMs() - startMs) / 1000);
    },
  };
}
