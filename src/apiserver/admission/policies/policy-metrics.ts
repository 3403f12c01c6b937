import type { MetricRegistry } from '#base/metrics.ts';

/** What a mutating policy did to one request. */
export interface MutationObservation {
  readonly policy: string;
  readonly binding: string;
  readonly errorType: 'no_error' | 'invalid_error';
  readonly seconds: number;
}

/** One decision about one request. */
export interface PolicyObservation {
  readonly policy: string;
  readonly binding: string;
  /** deny, audit, warn, allow. */
  readonly action: string;
  readonly errorType: 'no_error' | 'invalid_error';
  readonly seconds: number;
}

const buckets = [0.0000005, 0.001, 0.01, 0.1, 1];

/** Counts and times decisions of ValidatingAdmissionPolicies under upstream's metric names. */
export function createPolicyMetrics(
  registry: MetricRegistry,
): (observation: PolicyObservation) => void {
  const labels = ['enforcement_action', 'error_type', 'policy', 'policy_binding'];
  const total = registry.counter({
    name: 'apiserver_validating_admission_policy_check_total',
    help: 'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
    stability: 'BETA',
    labels,
  });
  const seconds = registry.histogram({
    name: 'apiserver_validating_admission_policy_check_duration_seconds',
    help: 'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
    stability: 'BETA',
    labels,
    buckets,
  });
  return ({ policy, binding, action, errorType, seconds: took }) => {
    total.with(action, errorType, policy, binding).value++;
    seconds.with(action, errorType, policy, binding).observe(took);
  };
}

/** The same for MutatingAdmissionPolicies. */
export function createMutationMetrics(
  registry: MetricRegistry,
): (observation: MutationObservation) => void {
  const labels = ['error_type', 'policy', 'policy_binding'];
  const total = registry.counter({
    name: 'apiserver_mutating_admission_policy_check_total',
    help: 'Mutations by policies, by policy, binding and kind of error.',
    stability: 'ALPHA',
    labels,
  });
  const seconds = registry.histogram({
    name: 'apiserver_mutating_admission_policy_check_duration_seconds',
    help: 'Time that a mutation by a policy takes in seconds.',
    stability: 'ALPHA',
    labels,
    buckets,
  });
  return ({ policy, binding, errorType, seconds: took }) => {
    total.with(errorType, policy, binding).value++;
    seconds.with(errorType, policy, binding).observe(took);
  };
}
