import type { NodeInfo, PodInfo } from '../framework/node-info.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip } from '../framework/status.ts';

const weighed = ['cpu', 'memory'] as const;

/** Prefers nodes whose CPU and memory are used up evenly, counted with the pod against without. */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  preScore(_state, pod) {
    const isBestEffort = weighed.every((name) => (pod.requests.get(name) ?? 0) === 0);
    return isBestEffort ? skip : undefined;
  },
  score(_state, pod, node) {
    const withPod = balance(node, pod);
    const without = balance(node, undefined);
    return 50 + Math.floor((50 + withPod - without) / 2);
  },
};

/** 100 less the standard deviation of the used fractions, in hundredths. */
function balance(node: NodeInfo, pod: PodInfo | undefined): number {
  const fractions = weighed.flatMap((name) => {
    const allocatable = node.allocatable.get(name) ?? 0;
    if (allocatable === 0) return [];
    const requested = (node.requested.get(name) ?? 0) + (pod?.requests.get(name) ?? 0);
    return [Math.min(requested / allocatable, 1)];
  });
  const [a, b] = fractions;
  const deviation = a === undefined || b === undefined ? 0 : Math.abs(a - b) / 2;
  return Math.floor((1 - deviation) * 100);
}
