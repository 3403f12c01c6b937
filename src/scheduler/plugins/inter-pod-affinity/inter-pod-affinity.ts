import type { ClusterLookups } from '../../framework/lookups.ts';
import type { NodeInfo, PodInfo } from '../../framework/node-info.ts';
import type { Happening } from '../../framework/happening.ts';
import type { CycleState, Plugin } from '../../framework/plugin.ts';
import { compilePodAffinity, termMatches } from '../../framework/pod-affinity.ts';
import { skip, unresolvable, unschedulable } from '../../framework/status.ts';
import type { AffinityCounts } from './affinity-counts.ts';
import { changeAffinity, countAffinity, matchesAll } from './affinity-counts.ts';
import { countLiking, normalizeLiking } from './affinity-score.ts';
import type { TopologyCounts } from './topology-counts.ts';

export const affinityReason = "node(s) didn't match pod affinity rules";
export const antiAffinityReason = "node(s) didn't match pod anti-affinity rules";
export const existingAntiAffinityReason =
  "node(s) didn't satisfy existing pods anti-affinity rules";

const requiredKey = 'InterPodAffinity/required';
const likingKey = 'InterPodAffinity/liking';

/** InterPodAffinityArgs. */
export interface InterPodAffinityArgs {
  readonly hardPodAffinityWeight?: number | undefined;
  readonly ignorePreferredTermsOfExistingPods?: boolean | undefined;
}

/** Pods that want to be near, or away from, other pods. */
export function createInterPodAffinity(
  lookups: ClusterLookups,
  args: InterPodAffinityArgs = {},
): Plugin {
  const { namespaceLabels } = lookups;
  const change = (
    state: CycleState,
    pod: PodInfo,
    other: PodInfo,
    node: NodeInfo,
    by: 1 | -1,
  ): void => {
    const counts = state.get(requiredKey) as AffinityCounts | undefined;
    if (counts !== undefined) changeAffinity({ counts, pod, other, node, by, namespaceLabels });
  };
  return {
    name: 'InterPodAffinity',
    retryOn: [
      'AssignedPod/Add',
      'AssignedPod/Update',
      'AssignedPod/Delete',
      'Node/Add',
      'Node/UpdateLabel',
      'Namespace/Update',
      'UnscheduledPod/Update',
    ],
    isHelpedBy: (pod, happening) => mayHelp(pod, happening, lookups),
    preFilter(state, pod, snapshot) {
      const counts = countAffinity(pod, snapshot, namespaceLabels);
      state.set(requiredKey, counts);
      const { required = [], requiredAnti = [] } = pod.affinity ?? {};
      const isFree = required.length + requiredAnti.length === 0 && counts.refusing.isEmpty;
      return isFree ? { status: skip } : undefined;
    },
    addPod: (state, pod, added, node) => change(state, pod, added, node, 1),
    removePod: (state, pod, removed, node) => change(state, pod, removed, node, -1),
    filter(state, pod, node) {
      const counts = state.get(requiredKey) as AffinityCounts;
      if (!hasWanted(counts, pod, node, lookups)) return unresolvable(affinityReason);
      const unwanted = pod.affinity?.requiredAnti ?? [];
      if (unwanted.some(({ topologyKey }) => counts.unwanted.at(node, topologyKey) > 0)) {
        return unschedulable(antiAffinityReason);
      }
      if (counts.refusing.sumAt(node) > 0) return unschedulable(existingAntiAffinityReason);
      return undefined;
    },
    preScore(state, pod, _nodes, snapshot) {
      const liking = countLiking({
        pod,
        snapshot,
        namespaceLabels,
        hardPodAffinityWeight: args.hardPodAffinityWeight ?? 1,
        ignorePreferredTermsOfExistingPods: args.ignorePreferredTermsOfExistingPods ?? false,
      });
      if (liking.isEmpty) return skip;
      state.set(likingKey, liking);
      return undefined;
    },
    score: (state, _pod, node) => (state.get(likingKey) as TopologyCounts).sumAt(node),
    normalizeScore(_state, _pod, scores) {
      normalizeLiking(scores);
    },
  };
}

/** Pods help that are wanted, or were unwanted; nodes that are in a domain of a term. */
function mayHelp(
  { pod, affinity }: PodInfo,
  { pod: other, formerPod, node }: Happening,
  { namespaceLabels }: ClusterLookups,
): boolean {
  const { required = [], requiredAnti = [] } = affinity ?? {};
  if (node !== undefined) {
    const keys = required.map(({ topologyKey }) => topologyKey);
    return keys.every((key) => node.metadata.labels?.[key] !== undefined);
  }
  if (other === undefined) return true;
  return [other, formerPod].some((one) => {
    if (one === undefined) return false;
    const terms = [...required, ...requiredAnti];
    if (terms.some((term) => termMatches(term, one, namespaceLabels))) return true;
    const theirs = compilePodAffinity(one)?.requiredAnti ?? [];
    return theirs.some((term) => termMatches(term, pod, namespaceLabels));
  });
}

/**
 * Every required term finds a matching pod in the node's domain; or none matches anywhere and the
 * pod matches its own terms: the first of a group must be able to start.
 */
function hasWanted(
  { wanted }: AffinityCounts,
  { pod, affinity }: PodInfo,
  node: NodeInfo,
  { namespaceLabels }: ClusterLookups,
): boolean {
  const terms = affinity?.required ?? [];
  let areAllThere = true;
  for (const { topologyKey } of terms) {
    if (node.node.metadata.labels?.[topologyKey] === undefined) return false;
    if (wanted.at(node, topologyKey) <= 0) areAllThere = false;
  }
  return areAllThere || (wanted.isEmpty && matchesAll(terms, pod, namespaceLabels));
}
