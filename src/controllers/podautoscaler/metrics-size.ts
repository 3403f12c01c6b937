import { messageOf } from '#base/errors.ts';
import type { V2MetricSpec, V2MetricStatus } from '#schema/types.ts';
import type { Saying } from './hpa-conditions.ts';
import { MetricError, proposeSize } from './metric-proposal.ts';
import type { MetricInputs, MetricProposal } from './metric-proposal.ts';

/** What all metrics together ask for. */
export interface MetricsSize {
  readonly replicas: number;
  /** The metric that asks for most. */
  readonly metric: string;
  /** One for each metric; an empty type for those that failed. */
  readonly statuses: readonly V2MetricStatus[];
  readonly scalingActive: Saying;
  readonly failures: readonly MetricError[];
  /** False when no metric works, or one fails and the others would make the target smaller. */
  readonly isUsable: boolean;
  /** What is wrong when it is not usable. */
  readonly failure: string;
}

/** The largest of what the metrics ask for; all of them are asked at the same time. */
export async function computeSize(
  specs: readonly V2MetricSpec[],
  inputs: MetricInputs,
): Promise<MetricsSize> {
  const outcomes = await Promise.all(
    specs.map(async (spec) => {
      try {
        return await proposeSize(spec, inputs);
      } catch (error) {
        if (error instanceof MetricError) return error;
        throw error;
      }
    }),
  );
  const failures = outcomes.filter(isFailure);
  const proposals = outcomes.flatMap((outcome) => (isFailure(outcome) ? [] : [outcome]));
  let replicas = 0;
  let metric = '';
  for (const proposal of proposals) {
    if (replicas !== 0 && proposal.replicas <= replicas) continue;
    replicas = proposal.replicas;
    metric = proposal.name;
  }
  const statuses = outcomes.map((outcome) => (isFailure(outcome) ? { type: '' } : outcome.status));
  const [first] = failures;
  const isUsable =
    failures.length < specs.length && (first === undefined || replicas >= inputs.currentReplicas);
  const valid = `the HPA was able to successfully calculate a replica count from ${metric}`;
  const invalid = `the HPA was unable to compute the replica count: ${first?.detail ?? ''}`;
  return {
    replicas,
    metric,
    statuses,
    failures,
    isUsable,
    scalingActive: isUsable
      ? ['True', 'ValidMetricFound', valid]
      : ['False', first?.reason ?? '', invalid],
    failure: `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${messageOf(first)}`,
  };
}

function isFailure(outcome: MetricProposal | MetricError): outcome is MetricError {
  return outcome instanceof MetricError;
}
