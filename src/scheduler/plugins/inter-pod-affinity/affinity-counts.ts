import type { Pod } from '#schema/types.ts';
import type { NodeInfo, PodInfo } from '../../framework/node-info.ts';
import type { Snapshot } from '../../framework/plugin.ts';
import { termMatches } from '../../framework/pod-affinity.ts';
import type { AffinityTerm, NamespaceLabels } from '../../framework/pod-affinity.ts';
import { TopologyCounts } from './topology-counts.ts';

/** What the required terms of a pod, and of the pods around it, say about each domain. */
export interface AffinityCounts {
  /** Placed pods that refuse this one. */
  readonly refusing: TopologyCounts;
  /** Placed pods that match all of its affinity terms. */
  readonly wanted: TopologyCounts;
  /** Placed pods that match one of its anti-affinity terms. */
  readonly unwanted: TopologyCounts;
  clone(): AffinityCounts;
}

export function countAffinity(
  pod: PodInfo,
  snapshot: Snapshot,
  namespaceLabels: NamespaceLabels,
): AffinityCounts {
  const counts = create(new TopologyCounts(), new TopologyCounts(), new TopologyCounts());
  for (const { kind, term, byNode } of snapshot.affinityTerms) {
    if (kind !== 'requiredAnti' || !termMatches(term, pod.pod, namespaceLabels)) continue;
    counts.refusing.addAll(snapshot, byNode, term.topologyKey, 1);
  }
  const { required = [], requiredAnti = [] } = pod.affinity ?? {};
  if (required.length > 0) {
    const byNode = podsMatchingAll(required, snapshot, namespaceLabels);
    for (const { topologyKey } of required) counts.wanted.addAll(snapshot, byNode, topologyKey, 1);
  }
  for (const term of requiredAnti) {
    const byNode = podsMatchingAll([term], snapshot, namespaceLabels);
    counts.unwanted.addAll(snapshot, byNode, term.topologyKey, 1);
  }
  return counts;
}

/** What changes when `other` comes to the node (1) or leaves it (-1). */
export function changeAffinity(options: {
  counts: AffinityCounts;
  pod: PodInfo;
  other: PodInfo;
  node: NodeInfo;
  by: 1 | -1;
  namespaceLabels: NamespaceLabels;
}): void {
  const { counts, pod, other, node, by, namespaceLabels } = options;
  for (const term of other.affinity?.requiredAnti ?? []) {
    if (termMatches(term, pod.pod, namespaceLabels))
      counts.refusing.add(node, term.topologyKey, by);
  }
  const { required = [], requiredAnti = [] } = pod.affinity ?? {};
  if (required.length > 0 && matchesAll(required, other.pod, namespaceLabels)) {
    for (const { topologyKey } of required) counts.wanted.add(node, topologyKey, by);
  }
  for (const term of requiredAnti) {
    if (termMatches(term, other.pod, namespaceLabels)) {
      counts.unwanted.add(node, term.topologyKey, by);
    }
  }
}

/** Placed pods that all terms mean, by node. */
export function podsMatchingAll(
  terms: readonly AffinityTerm[],
  snapshot: Snapshot,
  namespaceLabels: NamespaceLabels,
): ReadonlyMap<string, number> {
  const matches = (pod: Pod): boolean => matchesAll(terms, pod, namespaceLabels);
  const [only] = terms;
  if (
    terms.every(({ namespaceSelector }) => namespaceSelector.isEmpty || isNobody(namespaceSelector))
  ) {
    const id = terms.map(({ id: text }) => text).join('&');
    const isOneNamespace =
      terms.length === 1 && only?.namespaces.size === 1 && !only.namespaceSelector.isEmpty;
    const namespace = isOneNamespace ? [...only.namespaces][0] : undefined;
    return snapshot.countPods(`affinity|${id}`, namespace, matches);
  }
  // labels of namespaces change without the pods: counted anew each time
  const byNode = new Map<string, number>();
  for (const node of snapshot.nodes) {
    for (const { pod } of node.pods.values()) {
      if (matches(pod)) byNode.set(node.name, (byNode.get(node.name) ?? 0) + 1);
    }
  }
  return byNode;
}

export function matchesAll(
  terms: readonly AffinityTerm[],
  pod: Pod,
  namespaceLabels: NamespaceLabels,
): boolean {
  return terms.every((term) => termMatches(term, pod, namespaceLabels));
}

function isNobody(selector: AffinityTerm['namespaceSelector']): boolean {
  return selector.requirements.length === 0 && !selector.isEmpty;
}

function create(
  refusing: TopologyCounts,
  wanted: TopologyCounts,
  unwanted: TopologyCounts,
): AffinityCounts {
  return {
    refusing,
    wanted,
    unwanted,
    clone: () => create(refusing.clone(), wanted.clone(), unwanted.clone()),
  };
}
