import type { MetricRegistry } from '#base/metrics.ts';

/** How many requests execute now, of each sort. */
export interface InFlightSource {
  readonly current: { readonly readOnly: number; readonly mutating: number };
}

export function addInFlightMetrics(registry: MetricRegistry, source: InFlightSource): void {
  const gauge = registry.gauge({
    name: 'apiserver_current_inflight_requests',
    help: 'Requests that execute, by sort.',
    stability: 'STABLE',
    labels: ['request_kind'],
  });
  registry.onCollect(() => {
    const { readOnly, mutating } = source.current;
    gauge.with('readOnly').value = readOnly;
    gauge.with('mutating').value = mutating;
  });
}
