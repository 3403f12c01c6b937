import type { Node, TopologySpreadConstraint } from '#schema/types.ts';
import type { ClusterLookups } from '../../framework/lookups.ts';
import type { PodInfo } from '../../framework/node-info.ts';
import type { CycleState, Plugin } from '../../framework/plugin.ts';
import { skip, unresolvable, unschedulable } from '../../framework/status.ts';
import { defaultConstraints, domainOf, ownConstraints, systemDefaults } from './constraints.ts';
import type { Constraint } from './constraints.ts';
import { countDomains } from './domain-counts.ts';
import type { SpreadState } from './domain-counts.ts';
import { fullness, normalizeFullness, prepareScores } from './spread-score.ts';
import type { SpreadScores } from './spread-score.ts';

export const reason = "node(s) didn't match pod topology spread constraints";
export const missingLabelReason = `${reason} (missing required label)`;

const hardKey = 'PodTopologySpread/hard';
const softKey = 'PodTopologySpread/soft';

/** PodTopologySpreadArgs: constraints for pods without their own; upstream's when absent. */
export interface PodTopologySpreadArgs {
  readonly defaultConstraints?: readonly TopologySpreadConstraint[] | undefined;
}

/** Spreads pods over the domains of a topology key: hard constraints filter, soft ones score. */
export function createPodTopologySpread(
  lookups: ClusterLookups,
  args: PodTopologySpreadArgs = {},
): Plugin {
  const defaults = args.defaultConstraints ?? systemDefaults;
  const constraintsOf = (
    { pod }: PodInfo,
    kind: TopologySpreadConstraint['whenUnsatisfiable'],
  ): Constraint[] => {
    if ((pod.spec?.topologySpreadConstraints ?? []).length > 0) return ownConstraints(pod, kind);
    if (!defaults.some(({ whenUnsatisfiable }) => whenUnsatisfiable === kind)) return [];
    return defaultConstraints(pod, defaults, kind, lookups.siblings(pod));
  };
  const change = (state: CycleState, pod: PodInfo, by: 1 | -1) => {
    const spread = state.get(hardKey) as SpreadState | undefined;
    const namespace = pod.pod.metadata.namespace ?? '';
    return (other: PodInfo, node: Parameters<NonNullable<Plugin['addPod']>>[3]): void => {
      for (const counts of spread?.all ?? []) counts.change(namespace, other, node, by);
    };
  };
  return {
    name: 'PodTopologySpread',
    retryOn: [
      'AssignedPod/Add',
      'AssignedPod/Update',
      'AssignedPod/Delete',
      'Node/Add',
      'Node/Delete',
      'Node/UpdateLabel',
      'Node/UpdateTaint',
      'UnscheduledPod/Update',
    ],
    isHelpedBy(pod, { pod: other, formerPod, node, formerNode }) {
      const constraints = constraintsOf(pod, 'DoNotSchedule');
      if (node !== undefined) {
        const has = (one: Node): boolean =>
          constraints.every(({ topologyKey }) => one.metadata.labels?.[topologyKey] !== undefined);
        return has(node) || (formerNode !== undefined && has(formerNode));
      }
      if (other === undefined) return true;
      if (other.metadata.namespace !== pod.pod.metadata.namespace) return false;
      return [other, formerPod].some((one) =>
        constraints.some(({ selector }) => selector.matches(one?.metadata.labels)),
      );
    },
    preFilter(state, pod, snapshot) {
      const constraints = constraintsOf(pod, 'DoNotSchedule');
      if (constraints.length === 0) return { status: skip };
      state.set(hardKey, countDomains(constraints, pod.pod.metadata.namespace ?? '', snapshot));
      return undefined;
    },
    addPod: (state, pod, added, node) => change(state, pod, 1)(added, node),
    removePod: (state, pod, removed, node) => change(state, pod, -1)(removed, node),
    filter(state, _pod, node) {
      const { all } = state.get(hardKey) as SpreadState;
      for (const counts of all) {
        const domain = domainOf(node, counts.constraint.topologyKey);
        if (domain === undefined) return unresolvable(missingLabelReason);
        if (counts.skewIn(domain) > counts.constraint.maxSkew) return unschedulable(reason);
      }
      return undefined;
    },
    preScore(state, pod, nodes, snapshot) {
      const constraints = constraintsOf(pod, 'ScheduleAnyway');
      if (constraints.length === 0) return skip;
      const isOwn = (pod.pod.spec?.topologySpreadConstraints ?? []).length > 0;
      const needsAllKeys = isOwn || args.defaultConstraints !== undefined;
      const namespace = pod.pod.metadata.namespace ?? '';
      const scores = prepareScores({ constraints, namespace, nodes, snapshot, needsAllKeys });
      state.set(softKey, scores);
      return undefined;
    },
    score: (state, _pod, node) => fullness(state.get(softKey) as SpreadScores, node),
    normalizeScore(state, _pod, scores) {
      normalizeFullness(state.get(softKey) as SpreadScores, scores);
    },
  };
}
