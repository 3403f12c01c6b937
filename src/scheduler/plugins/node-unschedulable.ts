import { tolerates } from '#schema/pods/mod.ts';
import type { Plugin } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

export const reason = 'node(s) were unschedulable';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Keeps pods off cordoned nodes, unless they tolerate the taint of that name. */
export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  answersByNode: true,
  retryOn: ['Node/Add', 'Node/UpdateTaint'],
  isHelpedBy(_pod, { node, formerNode }) {
    return node?.spec?.unschedulable !== true && formerNode?.spec?.unschedulable !== false;
  },
  filter(_state, { pod }, { node }) {
    if (node.spec?.unschedulable !== true) return undefined;
    return tolerates(pod.spec?.tolerations, taint) ? undefined : unresolvable(reason);
  },
};
