import type { MetricRegistry } from '#base/metrics.ts';

/** Counts nodes by zone under upstream's names. */
export interface ZoneMetrics {
  seen(zone: string, ready: number, notReady: number): void;
  evicted(zone: string): void;
}

export function createZoneMetrics(registry: MetricRegistry): ZoneMetrics {
  const labels = ['zone'];
  const gauge = (name: string, help: string) =>
    registry.gauge({ name: `node_collector_${name}`, help, stability: 'ALPHA', labels });
  const size = gauge('zone_size', 'Nodes of the zone.');
  const health = gauge('zone_health', 'Percent of the nodes that are ready.');
  const unhealthy = gauge('unhealthy_nodes_in_zone', 'Nodes that are not ready.');
  const evictions = registry.counter({
    name: 'node_collector_evictions_total',
    help: 'Nodes whose pods were sent away.',
    stability: 'STABLE',
    labels,
  });
  return {
    seen(zone, ready, notReady) {
      size.with(zone).value = ready + notReady;
      health.with(zone).value = (100 * ready) / (ready + notReady);
      unhealthy.with(zone).value = notReady;
      // shown from the start, as a counter should be
      evictions.with(zone);
    },
    evicted: (zone) => void evictions.with(zone).value++,
  };
}
