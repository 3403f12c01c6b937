import type { PodInfo } from '../../framework/node-info.ts';
import { maxNodeScore } from '../../framework/plugin.ts';
import type { NodeScore, Snapshot } from '../../framework/plugin.ts';
import { termMatches } from '../../framework/pod-affinity.ts';
import type { NamespaceLabels } from '../../framework/pod-affinity.ts';
import { podsMatchingAll } from './affinity-counts.ts';
import { TopologyCounts } from './topology-counts.ts';

/** How much each domain is liked: by the pod's own wishes and by those of the pods in it. */
export function countLiking(options: {
  pod: PodInfo;
  snapshot: Snapshot;
  namespaceLabels: NamespaceLabels;
  /** What a required affinity term of a placed pod counts. */
  hardPodAffinityWeight: number;
  ignorePreferredTermsOfExistingPods: boolean;
}): TopologyCounts {
  const { pod, snapshot, namespaceLabels } = options;
  const liking = new TopologyCounts();
  const { preferred = [], preferredAnti = [] } = pod.affinity ?? {};
  const hasOwn = preferred.length + preferredAnti.length > 0;
  for (const [terms, sign] of [
    [preferred, 1],
    [preferredAnti, -1],
  ] as const) {
    for (const { term, weight } of terms) {
      const byNode = podsMatchingAll([term], snapshot, namespaceLabels);
      liking.addAll(snapshot, byNode, term.topologyKey, sign * weight);
    }
  }
  if (!hasOwn && options.ignorePreferredTermsOfExistingPods) return liking;
  for (const { kind, term, weight, byNode } of snapshot.affinityTerms) {
    let factor = 0;
    if (kind === 'required') factor = options.hardPodAffinityWeight;
    else if (kind === 'preferred') factor = weight;
    else if (kind === 'preferredAnti') factor = -weight;
    if (factor === 0 || !termMatches(term, pod.pod, namespaceLabels)) continue;
    liking.addAll(snapshot, byNode, term.topologyKey, factor);
  }
  return liking;
}

/** From the least liked, 0, to the most liked, 100; all 0 when all are equal. */
export function normalizeLiking(scores: NodeScore[]): void {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const { score } of scores) {
    minimum = Math.min(minimum, score);
    maximum = Math.max(maximum, score);
  }
  const range = maximum - minimum;
  for (const entry of scores) {
    entry.score = range > 0 ? Math.floor((maxNodeScore * (entry.score - minimum)) / range) : 0;
  }
}
