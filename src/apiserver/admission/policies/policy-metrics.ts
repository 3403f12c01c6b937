import type { MetricRegistry } from '#base/metrics.ts';

/** What a mutating policy did to one request. */
export interface MutationObservation {
  readonly policy: string;
  readonly binding: string;
  readonly errorType: 'no_error' | 'invalid_error';
  readonly seconds: number;
}

/** One decision about one request. */
export interface PolicyObservation extends MutationObservation {
  /** deny, audit, warn, allow. */
  readonly action: string;
}

const buckets = [0.0000005, 0.001, 0.01, 0.1, 1];

/** Counts and times decisions of ValidatingAdmissionPolicies under upstream's metric names. */
export function createPolicyMetrics(
  registry: MetricRegistry,
): (observation: PolicyObservation) => void {
  const observe = checkMeter(registry, {
    prefix: 'apiserver_validating_admission_policy_check',
    stability: 'BETA',
    labels: ['enforcement_action', 'error_type', 'policy', 'policy_binding'],
    totalHelp:
      'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
    secondsHelp:
      'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
  });
  return ({ policy, binding, action, errorType, seconds }) =>
    observe([action, errorType, policy, binding], seconds);
}

/** The same for MutatingAdmissionPolicies. */
export function createMutationMetrics(
  registry: MetricRegistry,
): (observation: MutationObservation) => void {
  const observe = checkMeter(registry, {
    prefix: 'apiserver_mutating_admission_policy_check',
    stability: 'ALPHA',
    labels: ['error_type', 'policy', 'policy_binding'],
    totalHelp: 'Mutations by policies, by policy, binding and kind of error.',
    secondsHelp: 'Time that a mutation by a policy takes in seconds.',
  });
  return ({ policy, binding, errorType, seconds }) =>
    observe([errorType, policy, binding], seconds);
}

function checkMeter(
  registry: MetricRegistry,
  options: {
    prefix: string;
    stability: 'ALPHA' | 'BETA';
    labels: readonly string[];
    totalHelp: string;
    secondsHelp: string;
  },
): (values: readonly string[], seconds: number) => void {
  const { prefix, stability, labels, totalHelp, secondsHelp } = options;
  const total = registry.counter({ name: `${prefix}_total`, help: totalHelp, stability, labels });
  const took = registry.histogram({
    name: `${prefix}_duration_seconds`,
    help: secondsHelp,
    stability,
    labels,
    buckets,
  });
  return (values, seconds) => {
    total.with(...values).value++;
    took.with(...values).observe(seconds);
  };
}
