import { compileNodeAffinity, untoleratedTaint } from '#schema/pods/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { LabelSelector } from '#schema/selectors/mod.ts';
import type { Node, Pod, TopologySpreadConstraint } from '#schema/types.ts';
import type { NodeInfo } from '../../framework/node-info.ts';
import { withMatchLabelKeys } from '../../framework/match-label-keys.ts';
import type { Snapshot } from '../../framework/plugin.ts';

export const hostnameKey = 'kubernetes.io/hostname';

/** A spread constraint of one pod, ready to be asked about nodes. */
export interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelSelector;
  /** 1 when the pod counts for its own constraint. */
  readonly selfMatch: 0 | 1;
  /** Whether a node's pods and its domain count at all: node affinity and taints policies. */
  readonly counts: (node: Node) => boolean;
}

/** Upstream's system defaults, for pods that have no constraints of their own. */
export const systemDefaults: readonly TopologySpreadConstraint[] = [
  { topologyKey: hostnameKey, maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway' },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway' },
];

/** The pod's own constraints of this kind. */
export function ownConstraints(
  pod: Pod,
  whenUnsatisfiable: TopologySpreadConstraint['whenUnsatisfiable'],
): Constraint[] {
  return ofKind(pod.spec?.topologySpreadConstraints ?? [], whenUnsatisfiable).map((constraint) => {
    const selector = labelSelectorFrom(constraint.labelSelector);
    return compile(pod, constraint, withMatchLabelKeys(selector, pod, constraint));
  });
}

/** The default constraints of this kind, over the pods that belong together with `pod`. */
export function defaultConstraints(
  pod: Pod,
  defaults: readonly TopologySpreadConstraint[],
  whenUnsatisfiable: TopologySpreadConstraint['whenUnsatisfiable'],
  siblings: LabelSelector | undefined,
): Constraint[] {
  if (siblings === undefined) return [];
  return ofKind(defaults, whenUnsatisfiable).map((entry) => compile(pod, entry, siblings));
}

function ofKind(
  constraints: readonly TopologySpreadConstraint[],
  wanted: string,
): TopologySpreadConstraint[] {
  return constraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === wanted);
}

function compile(
  pod: Pod,
  constraint: TopologySpreadConstraint,
  selector: LabelSelector,
): Constraint {
  const isAffinityHonored = (constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor';
  const areTaintsHonored = constraint.nodeTaintsPolicy === 'Honor';
  const affinity = isAffinityHonored ? compileNodeAffinity(pod) : undefined;
  const tolerations = pod.spec?.tolerations;
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    selector,
    selfMatch: selector.matches(pod.metadata.labels) ? 1 : 0,
    counts: (node) =>
      (affinity === undefined || affinity(node)) &&
      (!areTaintsHonored ||
        untoleratedTaint(node.spec?.taints, tolerations, ['NoSchedule', 'NoExecute']) ===
          undefined),
  };
}

/** Pods of the namespace that the selector means, by node; those being deleted do not count. */
export function matchingPods(
  snapshot: Snapshot,
  namespace: string,
  selector: LabelSelector,
): ReadonlyMap<string, number> {
  return snapshot.countPods(`spread|${namespace}|${selector.toString()}`, namespace, (pod) =>
    countsFor(selector, pod),
  );
}

export function countsFor(selector: LabelSelector, pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && selector.matches(pod.metadata.labels);
}

export function domainOf(node: NodeInfo, topologyKey: string): string | undefined {
  return node.node.metadata.labels?.[topologyKey];
}
