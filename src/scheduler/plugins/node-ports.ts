import { createPodInfo } from '../framework/node-info.ts';
import type { HostPort } from '../framework/node-info.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip, unschedulable } from '../framework/status.ts';

export const reason = "node(s) didn't have free ports for the requested pod ports";

const anyAddress = '0.0.0.0';

/** Two pods cannot take the same host port, unless on different addresses of the node. */
export function portsConflict(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === anyAddress || b.ip === anyAddress;
}

/** Keeps a pod off nodes where another pod has a host port that it wants. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  answersByNode: true,
  retryOn: ['Node/Add', 'AssignedPod/Delete'],
  isHelpedBy(pod, { pod: other }) {
    if (other === undefined) return true;
    const freed = createPodInfo(other).hostPorts;
    return pod.hostPorts.some((port) => freed.some((one) => portsConflict(port, one)));
  },
  preFilter(_state, pod) {
    return pod.hostPorts.length === 0 ? { status: skip } : undefined;
  },
  filter(_state, pod, node) {
    const taken = node.hostPorts;
    const isTaken = pod.hostPorts.some((port) => taken.some((other) => portsConflict(port, other)));
    return isTaken ? unschedulable(reason) : undefined;
  },
};
