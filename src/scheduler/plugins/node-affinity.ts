import { compileNodeAffinity, compileNodeSelectorTerm } from '#schema/pods/mod.ts';
import type { NodeMatcher } from '#schema/pods/mod.ts';
import { normalizeByMaximum } from '../framework/plugin.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip, unresolvable } from '../framework/status.ts';

export const reason = "node(s) didn't match Pod's node affinity/selector";

const requiredKey = 'NodeAffinity/required';
const preferredKey = 'NodeAffinity/preferred';

interface PreferredTerm {
  readonly weight: number;
  readonly matches: NodeMatcher;
}

/** nodeSelector and node affinity: required terms filter, preferred ones score by their weights. */
export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  retryOn: ['Node/Add', 'Node/UpdateLabel', 'UnscheduledPod/Update'],
  preFilter(state, { pod }) {
    const matches = compileNodeAffinity(pod);
    if (matches === undefined) return { status: skip };
    state.set(requiredKey, matches);
    return undefined;
  },
  filter(state, _pod, { node }) {
    const matches = state.get(requiredKey) as NodeMatcher;
    return matches(node) ? undefined : unresolvable(reason);
  },
  preScore(state, { pod }) {
    const terms = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
    if (terms === undefined || terms.length === 0) return skip;
    state.set(
      preferredKey,
      terms.map(({ weight, preference }) => ({
        weight,
        matches: compileNodeSelectorTerm(preference),
      })),
    );
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
