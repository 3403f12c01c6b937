import type { Clock } from '#base/clock.ts';
import type { HistogramSeries, MetricRegistry } from '#base/metrics.ts';

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

/** Observes how long plugins and whole steps of admission take. */
export interface AdmissionMeter {
  nowMs(): number;
  /** The time from `startMs` to now, which it returns; `plugin` is absent for the whole step. */
  observe(observed: {
    plugin: string | undefined;
    type: 'admit' | 'validate';
    operation: string;
    isRejected: boolean;
    startMs: number;
  }): number;
}

/** The series of one plugin and operation, by step and outcome: no key is put together for them. */
type Outcomes = (HistogramSeries | undefined)[];

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
  const known = new Map<string | undefined, Map<string, Outcomes>>();
  const outcomesOf = (plugin: string | undefined, operation: string): Outcomes => {
    let ofPlugin = known.get(plugin);
    if (ofPlugin === undefined) known.set(plugin, (ofPlugin = new Map<string, Outcomes>()));
    let outcomes = ofPlugin.get(operation);
    if (outcomes === undefined) ofPlugin.set(operation, (outcomes = []));
    return outcomes;
  };
  return {
    nowMs: () => clock.monotonicMs(),
    observe({ plugin, type, operation, isRejected, startMs }) {
      const outcomes = outcomesOf(plugin, operation);
      const index = (type === 'admit' ? 0 : 2) + (isRejected ? 1 : 0);
      let series = outcomes[index];
      if (series === undefined) {
        const values = [operation, String(isRejected), type];
        series = plugin === undefined ? steps.with(...values) : plugins.with(plugin, ...values);
        outcomes[index] = series;
      }
      const nowMs = clock.monotonicMs();
      series.observe((nowMs - startMs) / 1000);
      return nowMs;
    },
  };
}
