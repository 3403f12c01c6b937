import type { MetricRegistry } from '#base/metrics.ts';
import type { APIService } from '#schema/types.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { apiServices } from './api-service.ts';

/** Shows which APIServices are unavailable; the result counts one that becomes so. */
export function addAvailabilityMetrics(
  metrics: MetricRegistry | undefined,
  reader: ObjectReader,
): (name: string, reason: string) => void {
  if (metrics === undefined) return () => undefined;
  const now = metrics.gauge({
    name: 'aggregator_unavailable_apiservice',
    help: 'APIServices that are marked as unavailable, by name: 1 for those that are.',
    stability: 'ALPHA',
    labels: ['name'],
  });
  const total = metrics.counter({
    name: 'aggregator_unavailable_apiservice_total',
    help: 'How often an APIService was marked as unavailable, by name and reason.',
    stability: 'ALPHA',
    labels: ['name', 'reason'],
  });
  metrics.onCollect(() => {
    now.clear();
    for (const { metadata, status } of reader.list<APIService>(apiServices)) {
      const condition = status?.conditions?.find(({ type }) => type === 'Available');
      now.with(metadata.name).value = condition?.status === 'True' ? 0 : 1;
    }
  });
  return (name, reason) => {
    total.with(name, reason).value++;
  };
}
