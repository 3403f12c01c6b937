import type { MetricRegistry } from '#base/metrics.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import type { Mode, Policy } from './policy-level.ts';

/** Counts what Pod Security decided, under upstream's names. */
export interface SecurityMeter {
  evaluated(attributes: AdmissionAttributes, mode: Mode, policy: Policy, isAllowed: boolean): void;
  exempted(attributes: AdmissionAttributes): void;
  /** Labels of the namespace could not be read. */
  failed(attributes: AdmissionAttributes): void;
}

/** The newest version that the server's checks know; later ones and `latest` count as theirs. */
const newestMinor = 36;

export function createSecurityMeter(metrics: MetricRegistry | undefined): SecurityMeter {
  if (metrics === undefined) {
    return { evaluated: () => undefined, exempted: () => undefined, failed: () => undefined };
  }
  const place = ['request_operation', 'resource', 'subresource'];
  const evaluations = metrics.counter({
    name: 'pod_security_evaluations_total',
    help: 'Evaluations of pods against a policy, not counting requests that are ignored or exempt.',
    stability: 'ALPHA',
    labels: ['decision', 'mode', 'policy_level', 'policy_version', ...place],
  });
  const exemptions = metrics.counter({
    name: 'pod_security_exemptions_total',
    help: 'Requests that are exempt from Pod Security.',
    stability: 'ALPHA',
    labels: place,
  });
  const errors = metrics.counter({
    name: 'pod_security_errors_total',
    help: 'Errors that kept a request from being evaluated as it should be.',
    stability: 'ALPHA',
    labels: ['fatal', ...place],
  });
  return {
    evaluated(attributes, mode, { level, minor, version }, isAllowed) {
      const known = minor === Infinity ? 'latest' : minor > newestMinor ? 'future' : version;
      const shown = level === 'privileged' ? 'latest' : known;
      const decision = isAllowed ? 'allow' : 'deny';
      evaluations.with(decision, mode, level, shown, ...placeOf(attributes)).value++;
    },
    exempted(attributes) {
      exemptions.with(...placeOf(attributes)).value++;
    },
    failed(attributes) {
      errors.with('false', ...placeOf(attributes)).value++;
    },
  };
}

function placeOf({ operation, context, subresource }: AdmissionAttributes): string[] {
  const resource = context.resource.resource === 'pods' ? 'pod' : 'controller';
  return [operation.toLowerCase(), resource, subresource];
}
