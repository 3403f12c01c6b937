import type { NodeInfo, PodInfo } from '../framework/node-info.ts';

/** A resource that scoring looks at and how much it counts. */
export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}

export const cpuAndMemory: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/**
 * What the node would have given away with the pod on it. CPU and memory of pods that ask for
 * nothing count with upstream's minimum, 100m and 200 MiB.
 */
export function requestedWith(name: string, pod: PodInfo, node: NodeInfo): number {
  if (name === 'cpu') return node.scoringCpuMilli + pod.scoringCpuMilli;
  if (name === 'memory') return node.scoringMemoryBytes + pod.scoringMemoryBytes;
  return (node.requested.get(name) ?? 0) + (pod.requests.get(name) ?? 0);
}

const plainNames: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** Whether the resource counts for this pod: devices and the like only when it asks for them. */
export function countsFor(name: string, pod: PodInfo): boolean {
  return plainNames.has(name) || (pod.requests.get(name) ?? 0) > 0;
}
