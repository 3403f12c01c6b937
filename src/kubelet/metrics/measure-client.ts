import type { Clock } from '#base/clock.ts';
import { createRequestMeter } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { KubeletMetrics } from './kubelet-metrics.ts';

/** The client with its requests counted and timed; watches are counted when they begin. */
export function measureClient(
  client: Client,
  { metrics, clock, host }: { metrics: KubeletMetrics; clock: Clock; host: string },
): Client {
  return createRequestMeter({ registry: metrics.registry, clock, host })(client);
}
