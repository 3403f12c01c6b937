import { tolerates, untoleratedTaint } from '#schema/pods/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { normalizeByMaximum } from '../framework/plugin.ts';
import type { Plugin } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

export const reason = 'node(s) had untolerated taint(s)';

const hardEffects = ['NoSchedule', 'NoExecute'];

function isTainted(node: Node, pod: Pod): boolean {
  const taint = untoleratedTaint(node.spec?.taints, pod.spec?.tolerations, hardEffects);
  return taint !== undefined;
}

/** Keeps pods off tainted nodes that they do not tolerate, and prefers nodes with fewer soft taints. */
export const taintToleration: Plugin = {
  name: 'TaintToleration',
  answersByNode: true,
  retryOn: ['Node/Add', 'Node/UpdateTaint', 'UnscheduledPod/Update'],
  isHelpedBy({ pod }, { node, formerNode }) {
    if (node === undefined || isTainted(node, pod)) return node === undefined;
    return formerNode === undefined || isTainted(formerNode, pod);
  },
  filter(_state, { pod }, { node }) {
    return isTainted(node, pod) ? unresolvable(reason) : undefined;
  },
  score(_state, { pod }, { node }) {
    const soft = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'PreferNoSchedule');
    return soft.filter((taint) => !tolerates(pod.spec?.tolerations, taint)).length;
  },
  normalizeScore(_state, _pod, scores) {
    normalizeByMaximum(scores, true);
  },
};
