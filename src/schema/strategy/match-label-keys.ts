import type {
  LabelSelector,
  Pod,
  PodAffinityTerm,
  TopologySpreadConstraint,
  WeightedPodAffinityTerm,
} from '../generated/types.ts';

type Labels = Readonly<Record<string, string>>;

/**
 * Writes the pod's own values of matchLabelKeys and mismatchLabelKeys into the selectors beside
 * them, as upstream at creation: what a term means does not change with the pod's labels later.
 * Replaces the selectors of `pod`, changes nothing else.
 */
export function mergeMatchLabelKeys(pod: Pod): void {
  const { spec } = pod;
  const labels = pod.metadata.labels ?? {};
  if (spec === undefined) return;
  for (const constraint of spec.topologySpreadConstraints ?? []) merge(constraint, labels);
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  for (const affinity of [podAffinity, podAntiAffinity]) {
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
      merge(term, labels);
    }
    const preferred: readonly Partial<WeightedPodAffinityTerm>[] =
      affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    // an entry without its term is for validation to refuse
    for (const { podAffinityTerm = {} } of preferred) merge(podAffinityTerm, labels);
  }
}

function merge(
  term: Partial<PodAffinityTerm> | Partial<TopologySpreadConstraint>,
  labels: Labels,
): void {
  const { labelSelector, matchLabelKeys = [] } = term;
  const mismatchLabelKeys = 'mismatchLabelKeys' in term ? (term.mismatchLabelKeys ?? []) : [];
  if (labelSelector === undefined) return;
  const more = [
    ...expressions(matchLabelKeys, 'In', labels),
    ...expressions(mismatchLabelKeys, 'NotIn', labels),
  ];
  if (more.length === 0) return;
  const { matchExpressions = [] } = labelSelector;
  term.labelSelector = { ...labelSelector, matchExpressions: [...matchExpressions, ...more] };
}

function expressions(
  keys: readonly string[],
  operator: 'In' | 'NotIn',
  labels: Labels,
): NonNullable<LabelSelector['matchExpressions']> {
  return keys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
}
