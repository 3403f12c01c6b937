import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

/** The webhook whose conditions are looked at. */
export interface ConditionOwner {
  readonly name: string;
  readonly type: 'admit' | 'validating';
}

/** Begins a measurement; the result takes what came of it. */
export type ObserveConditions = (
  owner: ConditionOwner,
  operation: string,
) => (outcome: 'met' | 'excluded' | 'error') => void;

/** Counts and times match conditions of webhooks under upstream's metric names. */
export function createConditionMetrics(registry: MetricRegistry, clock: Clock): ObserveConditions {
  const labels = ['kind', 'name', 'operation', 'type'];
  const seconds = registry.histogram({
    name: 'apiserver_admission_match_condition_evaluation_seconds',
    help: 'Time that the match conditions of one webhook or policy take in seconds.',
    stability: 'ALPHA',
    labels,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25],
  });
  const errors = registry.counter({
    name: 'apiserver_admission_match_condition_evaluation_errors_total',
    help: 'Match conditions that could not be evaluated.',
    stability: 'ALPHA',
    labels,
  });
  const exclusions = registry.counter({
    name: 'apiserver_admission_match_condition_exclusions_total',
    help: 'Requests that match conditions kept away from a webhook or policy.',
    stability: 'ALPHA',
    labels,
  });
  return ({ name, type }, operation) => {
    const values = ['webhook', name, operation, type];
    const startMs = clock.monotonicMs();
    return (outcome) => {
      seconds.with(...values).observe((clock.monotonicMs() - startMs) / 1000);
      if (outcome === 'error') errors.with(...values).value++;
      if (outcome === 'excluded') exclusions.with(...values).value++;
    };
  };
}
