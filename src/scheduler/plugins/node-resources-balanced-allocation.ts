import type { NodeInfo, PodInfo } from '../framework/node-info.ts';
import { maxNodeScore } from '../framework/plugin.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip } from '../framework/status.ts';
import { countsFor, cpuAndMemory } from './resource-scoring.ts';

/** NodeResourcesBalancedAllocationArgs. */
export interface BalancedAllocationArgs {
  readonly resources?: readonly { readonly name: string }[] | undefined;
}

/** Prefers nodes whose resources are used up evenly, counted with the pod against without. */
export function createBalancedAllocation(args: BalancedAllocationArgs = {}): Plugin {
  const names = (args.resources ?? cpuAndMemory).map(({ name }) => name);
  return {
    name: 'NodeResourcesBalancedAllocation',
    answersByNode: true,
    preScore(_state, pod) {
      return names.every((name) => (pod.requests.get(name) ?? 0) === 0) ? skip : undefined;
    },
    score(_state, pod, node) {
      const half = maxNodeScore / 2;
      const counted = names.filter((name) => countsFor(name, pod));
      const withPod = balance(counted, node, pod);
      return half + Math.floor((half + withPod - balance(counted, node, undefined)) / 2);
    },
  };
}

/** 100 less the standard deviation of the used fractions, in hundredths. */
function balance(names: readonly string[], node: NodeInfo, pod: PodInfo | undefined): number {
  const fractions: number[] = [];
  for (const name of names) {
    const allocatable = node.allocatable.get(name) ?? 0;
    if (allocatable === 0) continue;
    const requested = (node.requested.get(name) ?? 0) + (pod?.requests.get(name) ?? 0);
    fractions.push(Math.min(requested / allocatable, 1));
  }
  return Math.floor((1 - deviationOf(fractions)) * maxNodeScore);
}

function deviationOf(fractions: readonly number[]): number {
  const [a, b] = fractions;
  if (a === undefined || b === undefined) return 0;
  if (fractions.length === 2) return Math.abs(a - b) / 2;
  const mean = fractions.reduce((sum, one) => sum + one, 0) / fractions.length;
  const squares = fractions.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return Math.sqrt(squares / fractions.length);
}
