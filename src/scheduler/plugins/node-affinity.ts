import { compileNodeAffinity, compileNodeSelectorTerm } from '#schema/pods/mod.ts';
import type { NodeMatcher } from '#schema/pods/mod.ts';
import type { Node, NodeAffinity, Pod } from '#schema/types.ts';
import { normalizeByMaximum } from '../framework/plugin.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip, unresolvable } from '../framework/status.ts';

export const reason = "node(s) didn't match Pod's node affinity/selector";
export const enforcedReason = "node(s) didn't match scheduler-enforced node affinity";

/** Terms that name nodes, and no node is named by all of them. */
export const conflictReason = 'pod affinity terms conflict';

const requiredKey = 'NodeAffinity/required';
const preferredKey = 'NodeAffinity/preferred';

interface PreferredTerm {
  readonly weight: number;
  readonly matches: NodeMatcher;
}

/** NodeAffinityArgs: affinity that every pod of the profile has besides its own. */
export interface NodeAffinityArgs {
  readonly addedAffinity?: NodeAffinity | undefined;
}

/** nodeSelector and node affinity: required terms filter, preferred ones score by their weights. */
export function createNodeAffinity({ addedAffinity }: NodeAffinityArgs = {}): Plugin {
  const added = matcherOf(addedAffinity);
  const addedTerms = preferredTerms(addedAffinity);
  return {
    name: 'NodeAffinity',
    answersByNode: true,
    retryOn: ['Node/Add', 'Node/UpdateLabel', 'UnscheduledPod/Update'],
    isHelpedBy({ pod }, { node, formerNode }) {
      if (node === undefined) return true;
      const matches = compileNodeAffinity(pod) ?? (() => true);
      const fits = (one: Node): boolean => added?.(one) !== false && matches(one);
      return fits(node) && (formerNode === undefined || !fits(formerNode));
    },
    preFilter(state, { pod }) {
      const matches = compileNodeAffinity(pod);
      if (matches === undefined && added === undefined) return { status: skip };
      state.set(requiredKey, matches);
      const nodeNames = namedNodes(pod);
      if (nodeNames === undefined) return undefined;
      return nodeNames.size === 0 ? { status: unresolvable(conflictReason) } : { nodeNames };
    },
    filter(state, _pod, { node }) {
      if (added?.(node) === false) return unresolvable(enforcedReason);
      const matches = state.get(requiredKey) as NodeMatcher | undefined;
      return matches?.(node) === false ? unresolvable(reason) : undefined;
    },
    preScore(state, { pod }) {
      const terms = [...addedTerms, ...preferredTerms(pod.spec?.affinity?.nodeAffinity)];
      if (terms.length === 0) return skip;
      state.set(preferredKey, terms);
      return undefined;
    },
    score(state, _pod, { node }) {
      const terms = state.get(preferredKey) as readonly PreferredTerm[];
      return terms.reduce((sum, { weight, matches }) => sum + (matches(node) ? weight : 0), 0);
    },
    normalizeScore(_state, _pod, scores) {
      normalizeByMaximum(scores, false);
    },
  };
}

/**
 * The nodes that the pod's required terms name by metadata.name, as the pods of DaemonSets do: no
 * other needs to be looked at. Undefined when a term leaves the name open.
 */
function namedNodes(pod: Pod): ReadonlySet<string> | undefined {
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms ?? [];
  if (terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const { matchFields = [] } of terms) {
    let named: ReadonlySet<string> | undefined;
    for (const { key, operator, values = [] } of matchFields) {
      if (key !== 'metadata.name' || operator !== 'In') continue;
      const own = new Set(values);
      named = named?.intersection(own) ?? own;
    }
    if (named === undefined) return undefined;
    for (const name of named) all.add(name);
  }
  return all;
}

function matcherOf(affinity: NodeAffinity | undefined): NodeMatcher | undefined {
  if (affinity?.requiredDuringSchedulingIgnoredDuringExecution === undefined) return undefined;
  const pod = {
    metadata: { name: '' },
    spec: { containers: [], affinity: { nodeAffinity: affinity } },
  };
  return compileNodeAffinity(pod);
}

function preferredTerms(affinity: NodeAffinity | undefined): PreferredTerm[] {
  const terms = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.map(({ weight, preference }) => ({
    weight,
    matches: compileNodeSelectorTerm(preference),
  }));
}
