import type { NodeInfo, PodInfo } from '../framework/node-info.ts';
import { maxNodeScore } from '../framework/plugin.ts';
import type { Plugin } from '../framework/plugin.ts';
import type { Status } from '../framework/status.ts';

const tooManyPods = 'Too many pods';

/** Every resource that keeps the pod off the node; empty when it fits. */
export function insufficientResources(pod: PodInfo, node: NodeInfo): string[] {
  const reasons: string[] = [];
  if (node.pods.size + 1 > node.allowedPods) reasons.push(tooManyPods);
  for (const [name, request] of pod.requests) {
    if (request === 0 || name === 'pods') continue;
    const free = (node.allocatable.get(name) ?? 0) - (node.requested.get(name) ?? 0);
    if (request > free) reasons.push(`Insufficient ${name}`);
  }
  return reasons;
}

/** Whether the request is larger than the whole node: no preemption can help then. */
function exceedsNode(pod: PodInfo, node: NodeInfo): boolean {
  for (const [name, request] of pod.requests) {
    if (request > (node.allocatable.get(name) ?? 0)) return true;
  }
  return false;
}

/** Filters nodes without room and, as LeastAllocated, prefers those with the most room left. */
export const nodeResourcesFit: Plugin = {
  name: 'NodeResourcesFit',
  retryOn: ['Node/Add', 'Node/UpdateAllocatable', 'AssignedPod/Delete', 'AssignedPod/Update'],
  filter(_state, pod, node): Status | undefined {
    const reasons = insufficientResources(pod, node);
    if (reasons.length === 0) return undefined;
    const code = exceedsNode(pod, node) ? 'UnschedulableAndUnresolvable' : 'Unschedulable';
    return { code, reasons };
  },
  score(_state, pod, node) {
    const cpu = leastAllocated(
      node.scoringCpuMilli + pod.scoringCpuMilli,
      node.allocatable.get('cpu'),
    );
    const memory = leastAllocated(
      node.scoringMemoryBytes + pod.scoringMemoryBytes,
      node.allocatable.get('memory'),
    );
    const known = [cpu, memory].filter((score) => score !== undefined);
    if (known.length === 0) return 0;
    return Math.floor(known.reduce((sum, score) => sum + score, 0) / known.length);
  },
};

function leastAllocated(requested: number, allocatable: number | undefined): number | undefined {
  if (allocatable === undefined || allocatable === 0) return undefined;
  if (requested > allocatable) return 0;
  return Math.floor(((allocatable - requested) * maxNodeScore) / allocatable);
}
