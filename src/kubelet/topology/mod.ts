/**
 * The topology manager: lets CPU manager, memory manager and device plugins agree on NUMA nodes
 * when a pod is admitted (policies none, best-effort, restricted, single-numa-node). It gives
 * nothing out itself: each provider does. Start reading at align-pods.ts, then hint-merger.ts.
 */
export { podTotal } from './pod-total.ts';
export { countedHints } from './counted-hints.ts';
export { allMasks, countNodes, isNarrower, type NumaMask, NumaNodes } from './numa-mask.ts';
export { oneNumaNode, readNumaNodes, type NumaNode } from './numa-nodes.ts';
export type { HintProvider, ResourceHints, TopologyHint } from './hint-provider.ts';
export { AdmissionError } from './hint-provider.ts';
export { topologyPolicyProblem, topologyPolicies, topologyScopes } from './policy-options.ts';
export { createTopologyManager, type TopologyManager } from './align-pods.ts';
