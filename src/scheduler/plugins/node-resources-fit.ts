import { podRequestsInUse } from '#schema/pods/mod.ts';
import { NodeRecord } from '../framework/node-info.ts';
import type { NodeInfo, PodInfo } from '../framework/node-info.ts';
import { maxNodeScore } from '../framework/plugin.ts';
import type { Plugin } from '../framework/plugin.ts';
import type { Status } from '../framework/status.ts';
import { countsFor, cpuAndMemory, requestedWith } from './resource-scoring.ts';
import type { WeightedResource } from './resource-scoring.ts';

const tooManyPods = 'Too many pods';

/** A point of RequestedToCapacityRatio: percent used, score 0 to 10. */
export interface UtilizationPoint {
  readonly utilization: number;
  readonly score: number;
}

/** NodeResourcesFitArgs. */
export interface NodeResourcesFitArgs {
  readonly ignoredResources?: readonly string[] | undefined;
  readonly ignoredResourceGroups?: readonly string[] | undefined;
  readonly scoringStrategy?:
    | {
        readonly type?: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio' | undefined;
        readonly resources?: readonly WeightedResource[] | undefined;
        readonly requestedToCapacityRatio?:
          | { readonly shape?: readonly UtilizationPoint[] | undefined }
          | undefined;
      }
    | undefined;
}

/** Requested and allocatable amounts to 0..100. */
type Strategy = (requested: number, allocatable: number) => number;

/** Filters nodes without room; scores them by what is left, as the strategy says. */
export function createNodeResourcesFit(args: NodeResourcesFitArgs = {}): Plugin {
  const { ignoredResources = [], ignoredResourceGroups = [], scoringStrategy } = args;
  const isIgnored = (name: string): boolean =>
    ignoredResources.includes(name) ||
    (name.includes('/') && ignoredResourceGroups.includes(name.slice(0, name.indexOf('/'))));
  const resources = scoringStrategy?.resources ?? cpuAndMemory;
  const strategy = strategyOf(scoringStrategy);
  const isByRatio = scoringStrategy?.type === 'RequestedToCapacityRatio';
  return {
    name: 'NodeResourcesFit',
    answersByNode: true,
    retryOn: ['Node/Add', 'Node/UpdateAllocatable', 'AssignedPod/Delete', 'AssignedPod/Update'],
    isHelpedBy(pod, { event, node, formerNode, pod: other, formerPod, nodeInfo }) {
      if (node !== undefined) {
        // a node that is too small even when it is empty stays too small
        const record = new NodeRecord(node);
        if (insufficientResources(pod, record, isIgnored).length > 0) return false;
        return formerNode === undefined || hasMore(pod, new NodeRecord(formerNode), record);
      }
      // room on one node is no help to whom it is still too little
      if (nodeInfo !== undefined && !mayFit(pod, nodeInfo, isIgnored)) return false;
      if (event !== 'AssignedPod/Update' || other === undefined || formerPod === undefined) {
        return true;
      }
      const before = podRequestsInUse(formerPod);
      const after = podRequestsInUse(other);
      return [...pod.requests].some(
        ([name, request]) => request > 0 && (after.get(name) ?? 0) < (before.get(name) ?? 0),
      );
    },
    filter(_state, pod, node): Status | undefined {
      const reasons = insufficientResources(pod, node, isIgnored);
      if (reasons.length === 0) return undefined;
      const isHopeless = exceedsNode(pod, node, isIgnored);
      return { code: isHopeless ? 'UnschedulableAndUnresolvable' : 'Unschedulable', reasons };
    },
    score(_state, pod, node) {
      let sum = 0;
      let weights = 0;
      for (const { name, weight } of resources) {
        const allocatable = node.allocatable.get(name) ?? 0;
        if (allocatable === 0 || !countsFor(name, pod)) continue;
        const score = strategy(requestedWith(name, pod, node), allocatable);
        // As upstream: by its shape, a resource that scores nothing says nothing.
        if (isByRatio && score <= 0) continue;
        sum += score * weight;
        weights += weight;
      }
      if (weights === 0) return 0;
      return isByRatio ? Math.round(sum / weights) : Math.floor(sum / weights);
    },
  };
}

/** Every resource that keeps the pod off the node; empty when it fits. */
export function insufficientResources(
  pod: PodInfo,
  node: NodeInfo,
  isIgnored: (name: string) => boolean = () => false,
): string[] {
  const reasons: string[] = [];
  if (node.pods.size + 1 > node.allowedPods) reasons.push(tooManyPods);
  for (const [name, request] of pod.requests) {
    if (request === 0 || name === 'pods' || isIgnored(name)) continue;
    const free = (node.allocatable.get(name) ?? 0) - (node.requested.get(name) ?? 0);
    if (request > free) reasons.push(`Insufficient ${name}`);
  }
  return reasons;
}

/** Whether the pod fits on the node, or would without the pods that are less important. */
function mayFit(pod: PodInfo, node: NodeInfo, isIgnored: (name: string) => boolean): boolean {
  if (insufficientResources(pod, node, isIgnored).length === 0) return true;
  const priority = pod.pod.spec?.priority ?? 0;
  if (node.lowestPriority >= priority) return false;
  const without = node.clone();
  for (const [key, other] of node.pods) {
    if ((other.pod.spec?.priority ?? 0) < priority) without.removePod(key);
  }
  return insufficientResources(pod, without, isIgnored).length === 0;
}

/** Whether a change of the node gave it more of what the pod wants. */
function hasMore(pod: PodInfo, before: NodeInfo, after: NodeInfo): boolean {
  if (after.allowedPods > before.allowedPods) return true;
  return [...pod.requests].some(
    ([name, request]) =>
      request > 0 && (after.allocatable.get(name) ?? 0) > (before.allocatable.get(name) ?? 0),
  );
}

/** Whether the request is larger than the whole node: no preemption can help then. */
function exceedsNode(pod: PodInfo, node: NodeInfo, isIgnored: (name: string) => boolean): boolean {
  for (const [name, request] of pod.requests) {
    if (!isIgnored(name) && request > (node.allocatable.get(name) ?? 0)) return true;
  }
  return false;
}

function strategyOf(scoring: NodeResourcesFitArgs['scoringStrategy']): Strategy {
  switch (scoring?.type) {
    case 'MostAllocated':
      return (requested, allocatable) =>
        // pods that ask for nothing count with more than that, and may go over what there is
        Math.floor((Math.min(requested, allocatable) * maxNodeScore) / allocatable);
    case 'RequestedToCapacityRatio':
      return brokenLine(scoring.requestedToCapacityRatio?.shape ?? []);
    default:
      return (requested, allocatable) =>
        requested > allocatable
          ? 0
          : Math.floor(((allocatable - requested) * maxNodeScore) / allocatable);
  }
}

/** The line through the points; scores of the shape end at 10, ours at 100. */
function brokenLine(shape: readonly UtilizationPoint[]): Strategy {
  const points = shape.map(({ utilization, score }) => ({ x: utilization, y: score * 10 }));
  return (requested, allocatable) => {
    const x = requested > allocatable ? 100 : Math.floor((requested * 100) / allocatable);
    const after = points.findIndex((point) => x <= point.x);
    const right = points[after];
    if (right === undefined) return points.at(-1)?.y ?? 0;
    const left = points[after - 1];
    if (left === undefined) return right.y;
    return left.y + Math.trunc(((right.y - left.y) * (x - left.x)) / (right.x - left.x));
  };
}
