import { compileNodeAffinity, compileNodeSelectorTerm } from '#schema/pods/mod.ts';
import type { NodeMatcher } from '#schema/pods/mod.ts';
import type { NodeAffinity } from '#schema/types.ts';
import { normalizeByMaximum } from '../framework/plugin.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip, unresolvable } from '../framework/status.ts';

export const reason = "node(s) didn't match Pod's node affinity/selector";
export const enforcedReason = "node(s) didn't match scheduler-enforced node affinity";

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
    preFilter(state, { pod }) {
      const matches = compileNodeAffinity(pod);
      if (matches === undefined && added === undefined) return { status: skip };
      state.set(requiredKey, matches);
      return undefined;
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
