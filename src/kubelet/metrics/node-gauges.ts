import type { MetricRegistry } from '#base/metrics.ts';

/** Times of the node's start and shutdown, in seconds. */
export interface NodeTimes {
  /** From the start of the kubelet to its first request about the Node, and of that. */
  readonly beforeRegistration: number;
  readonly registration: number;
}

/** Gauges that are set once; `shutdown` is asked at each scrape. */
export function addNodeGauges(
  metrics: MetricRegistry,
  shutdown: () => { startMs: number; endMs: number },
): { started(times: NodeTimes): void } {
  const gauge = (name: string, help: string) =>
    metrics.gauge({ name: `kubelet_${name}`, help, stability: 'ALPHA' }).with();
  const before = gauge(
    'node_startup_pre_registration_duration_seconds',
    'Seconds from the start of the kubelet to the registration of its Node.',
  );
  const registration = gauge(
    'node_startup_registration_duration_seconds',
    'Seconds that the registration of the Node took.',
  );
  const start = gauge(
    'graceful_shutdown_start_time_seconds',
    'When the last shutdown began, in seconds since 1970.',
  );
  const end = gauge(
    'graceful_shutdown_end_time_seconds',
    'When the last shutdown was over, in seconds since 1970.',
  );
  metrics.onCollect(() => {
    const { startMs, endMs } = shutdown();
    start.value = startMs / 1000;
    end.value = endMs / 1000;
  });
  return {
    started(times) {
      before.value = times.beforeRegistration;
      registration.value = times.registration;
    },
  };
}
