import type { Plugin } from '../framework/plugin.ts';
import { unresolvable } from '../framework/status.ts';

export const reason = "node(s) didn't match the requested node name";

/** Keeps a pod that names its node on that node. */
export const nodeName: Plugin = {
  name: 'NodeName',
  answersByNode: true,
  retryOn: ['Node/Add'],
  filter(_state, { pod }, node) {
    const wanted = pod.spec?.nodeName ?? '';
    return wanted === '' || wanted === node.name ? undefined : unresolvable(reason);
  },
};
