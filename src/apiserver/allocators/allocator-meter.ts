import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

export type AllocationScope = 'static' | 'dynamic';

/** Counts what is given out, as upstream's kube_apiserver_clusterip_allocator and _nodeport_ ones. */
export interface AllocatorMeter {
  /** Runs an allocation of an address; undefined and errors count as failed. */
  allocation<T>(cidr: string, scope: AllocationScope, work: () => Promise<T>): Promise<T>;
  /** The same for node ports. */
  portAllocation<T>(scope: AllocationScope, work: () => Promise<T>): Promise<T>;
}

/** What the gauges show at a scrape. */
export interface AllocatorCounts {
  addresses(): Iterable<{ cidr: string; taken: number; free: number }>;
  ports(): { taken: number; free: number } | undefined;
}

export function createAllocatorMeter(options: {
  metrics: MetricRegistry;
  clock: Clock;
  counts: AllocatorCounts;
}): AllocatorMeter {
  const { metrics, clock } = options;
  const stability = 'ALPHA';
  const ip = 'kube_apiserver_clusterip_allocator';
  const port = 'kube_apiserver_nodeport_allocator';
  const labels = ['cidr', 'scope'];
  const totals = metrics.counter({
    name: `${ip}_allocation_total`,
    help: 'Cluster IPs that were given out.',
    stability,
    labels,
  });
  const errors = metrics.counter({
    name: `${ip}_allocation_errors_total`,
    help: 'Cluster IPs that could not be given out.',
    stability,
    labels,
  });
  const durations = metrics.histogram({
    name: `${ip}_allocation_duration_seconds`,
    help: 'How long it took to take a cluster IP.',
    stability,
    labels: ['cidr'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const portTotals = metrics.counter({
    name: `${port}_allocation_total`,
    help: 'Node ports that were given out.',
    stability,
    labels: ['scope'],
  });
  const portErrors = metrics.counter({
    name: `${port}_allocation_errors_total`,
    help: 'Node ports that could not be given out.',
    stability,
    labels: ['scope'],
  });
  addGauges(metrics, options.counts);
  return {
    async allocation(cidr, scope, work) {
      const startMs = clock.monotonicMs();
      try {
        const result = await work();
        if (result === undefined && scope === 'dynamic') errors.with(cidr, scope).value++;
        else totals.with(cidr, scope).value++;
        durations.with(cidr).observe((clock.monotonicMs() - startMs) / 1000);
        return result;
      } catch (error) {
        errors.with(cidr, scope).value++;
        throw error;
      }
    },
    async portAllocation(scope, work) {
      try {
        const result = await work();
        portTotals.with(scope).value++;
        return result;
      } catch (error) {
        portErrors.with(scope).value++;
        throw error;
      }
    },
  };
}

function addGauges(metrics: MetricRegistry, counts: AllocatorCounts): void {
  const gauge = (name: string, help: string, labels: string[]) =>
    metrics.gauge({ name: `kube_apiserver_${name}`, help, stability: 'ALPHA', labels });
  const taken = gauge('clusterip_allocator_allocated_ips', 'Cluster IPs in use.', ['cidr']);
  const free = gauge('clusterip_allocator_available_ips', 'Cluster IPs that are free.', ['cidr']);
  const takenPorts = gauge('nodeport_allocator_allocated_ports', 'Node ports in use.', []);
  const freePorts = gauge('nodeport_allocator_available_ports', 'Node ports that are free.', []);
  metrics.onCollect(() => {
    taken.clear();
    free.clear();
    for (const { cidr, ...now } of counts.addresses()) {
      taken.with(cidr).value = now.taken;
      free.with(cidr).value = now.free;
    }
    const ports = counts.ports();
    if (ports === undefined) return;
    takenPorts.with().value = ports.taken;
    freePorts.with().value = ports.free;
  });
}
