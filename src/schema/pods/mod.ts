/**
 * What the fields of a pod mean together: what it asks for, which taints it bears, which nodes it
 * wants. Pure functions that scheduler, kubelet and controllers share; nothing here decides.
 */
export { podRequests, podRequestsInUse, podLimits } from './pod-requests.ts';
export type { ResourceAmounts } from './pod-requests.ts';
export { podQosClass } from './pod-qos.ts';
export type { QosClass } from './pod-qos.ts';
export { toleratesTaint, tolerates, untoleratedTaint } from './tolerations.ts';
export { compileNodeAffinity, compileNodeSelectorTerm } from './node-affinity.ts';
export type { NodeMatcher } from './node-affinity.ts';
