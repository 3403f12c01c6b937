import type { Clock } from '#base/clock.ts';
import type { HistogramSeries, MetricRegistry } from '#base/metrics.ts';

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

/** Observes how long plugins and whole steps of admission take. */
export interface AdmissionMeter {
  nowMs(): number;
  /** The time from `startMs` to now; `plugin` is absent for the whole step. */
  observe(observed: {
    plugin: string | undefined;
    type: 'admit' | 'validate';
    operation: string;
    isRejected: boolean;
    startMs: number;
  }): void;
}

/** Upstream's metrics of admission. */
export function createAdmissionMeter(registry: MetricRegistry, clock: Clock): AdmissionMeter {
  const labels = ['operation', 'rejected', 'type'];
  const plugins = registry.histogram({
    name: 'apiserver_admission_controller_admission_duration_seconds',
    help: 'Time that an admission plugin takes, by operation and step.',
    stability: 'STABLE',
    labels: ['name', ...labels],
    buckets,
  });
  const steps = registry.histogram({
    name: 'apiserver_admission_step_admission_duration_seconds',
    help: 'Time that a step of admission takes, by operation.',
    stability: 'STABLE',
    labels,
    buckets,
  });
  const known = new Map<string, HistogramSeries>();
  return {
    nowMs: () => clock.monotonicMs(),
    observe({ plugin, type, operation, isRejected, startMs }) {
      const key = `${plugin ?? ''} ${type} ${operation} ${isRejected}`;
      let series = known.get(key);
      if (series === undefined) {
        const values = [operation, String(isRejected), type];
        series = plugin === undefined ? steps.with(...values) : plugins.with(plugin, ...values);
        known.set(key, series);
      }
      series.observe((clock.monotonicMs() - startMs) / 1000);
    },
  };
}
