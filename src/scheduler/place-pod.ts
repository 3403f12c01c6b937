import type { Random } from '#base/random.ts';
import { filterWithNominated } from './filter-with-nominated.ts';
import type { NodeInfo, PodInfo } from './framework/node-info.ts';
import type { CycleState, Snapshot } from './framework/plugin.ts';
import type { Profile } from './framework/profile.ts';
import type { Status } from './framework/status.ts';
import type { NominatedPods } from './queue/nominated-pods.ts';

/** Below this number every node is looked at. */
const minFeasibleNodes = 100;

export type Placement =
  | { readonly nodeName: string }
  | {
      readonly nodeName: undefined;
      /** Refusals by node name; the same for all when PreFilter refused. */
      readonly statuses: ReadonlyMap<string, Status>;
      readonly preFilterStatus: Status | undefined;
    };

/** How many fitting nodes are enough to choose from: all of 100, then a share that falls to 5 %. */
export function nodesToFind(nodeCount: number): number {
  if (nodeCount < minFeasibleNodes) return nodeCount;
  const percentage = Math.max(50 - Math.floor(nodeCount / 125), 5);
  return Math.max(Math.floor((nodeCount * percentage) / 100), minFeasibleNodes);
}

/**
 * Finds the node for one pod: filter, score, the best at random among equals. The search starts
 * where the last one ended, so that all nodes get their turn.
 */
export function createPlacement(options: {
  random: Random;
  nominated: NominatedPods;
}): (profile: Profile, state: CycleState, pod: PodInfo, snapshot: Snapshot) => Placement {
  const { random, nominated } = options;
  let startIndex = 0;
  return (profile, state, pod, snapshot) => {
    const { nodes } = snapshot;
    const statuses = new Map<string, Status>();
    const { status: preFilterStatus, nodeNames } = profile.preFilter(state, pod, snapshot);
    if (preFilterStatus !== undefined) return { nodeName: undefined, statuses, preFilterStatus };
    const filter = (node: NodeInfo): Status | undefined =>
      filterWithNominated({ profile, state, pod, node, nominated });
    // Room was made on this node for this pod: no other is looked at while it fits there.
    const promised = snapshot.node(nominated.nodeOf(pod.key) ?? '');
    if (
      promised !== undefined &&
      nodeNames?.has(promised.name) !== false &&
      filter(promised) === undefined
    ) {
      return { nodeName: promised.name };
    }
    const feasible: NodeInfo[] = [];
    const wanted = nodesToFind(nodes.length);
    let looked = 0;
    for (; looked < nodes.length && feasible.length < wanted; looked++) {
      const node = nodes[(startIndex + looked) % nodes.length];
      if (node === undefined || nodeNames?.has(node.name) === false) continue;
      const status = filter(node);
      if (status === undefined) feasible.push(node);
      else statuses.set(node.name, status);
    }
    if (nodes.length > 0) startIndex = (startIndex + looked) % nodes.length;
    const [only] = feasible;
    if (only === undefined) return { nodeName: undefined, statuses, preFilterStatus: undefined };
    if (feasible.length === 1) return { nodeName: only.name };
    const { scores, status } = profile.score(state, pod, feasible, snapshot);
    if (status !== undefined) return { nodeName: undefined, statuses, preFilterStatus: status };
    return { nodeName: pickBest(feasible, scores, random).name };
  };
}

function pickBest(nodes: readonly NodeInfo[], scores: readonly number[], random: Random): NodeInfo {
  let best = nodes[0] as NodeInfo;
  let bestScore = scores[0] ?? 0;
  let equals = 1;
  for (const [index, node] of nodes.entries()) {
    const score = scores[index] ?? 0;
    if (index === 0 || score < bestScore) continue;
    if (score > bestScore) {
      equals = 1;
      best = node;
      bestScore = score;
      continue;
    }
    equals++;
    if (random.integer(equals) === 0) best = node;
  }
  return best;
}
