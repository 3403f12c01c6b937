import { K3tsError, messageOf } from '#base/errors.ts';
import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { Extender } from './extender/mod.ts';
import { filterWithNominated } from './filter-with-nominated.ts';
import type { NodeInfo, PodInfo } from './framework/node-info.ts';
import type { CycleState, Snapshot } from './framework/plugin.ts';
import type { Profile } from './framework/profile.ts';
import { unresolvable } from './framework/status.ts';
import type { Status } from './framework/status.ts';
import type { NominatedPods } from './queue/nominated-pods.ts';

const noScores = new Float64Array(0);

/** Below this number every node is looked at. */
const minFeasibleNodes = 100;

export interface Refusal {
  readonly nodeName: undefined;
  /** Refusals by node name. */
  readonly statuses: ReadonlyMap<string, Status>;
  /** A refusal for all nodes at once. */
  readonly preFilterStatus: Status | undefined;
  /** What is said of the nodes that PreFilter left out. */
  readonly absentStatus: Status | undefined;
  /** Plugins whose PreFilter left nodes out. */
  readonly narrowedBy: readonly string[];
}

export type Placement = { readonly nodeName: string } | Refusal;

/**
 * How many fitting nodes are enough to choose from: all of 100, then `percentage`, or without one
 * (0) a share that falls with the size of the cluster to 5 %.
 */
export function nodesToFind(nodeCount: number, percentage = 0): number {
  if (nodeCount < minFeasibleNodes || percentage >= 100) return nodeCount;
  const share = percentage > 0 ? percentage : Math.max(50 - Math.floor(nodeCount / 125), 5);
  return Math.max(Math.floor((nodeCount * share) / 100), minFeasibleNodes);
}

export interface PlacementOptions {
  readonly random: Random;
  readonly nominated: NominatedPods;
  readonly extenders?: readonly Extender[];
  /** Of the profile, else of the configuration. */
  readonly percentageOf?: (profile: Profile) => number;
  readonly clock?: Clock | undefined;
  /** Told how long the search over the nodes took, and `Success` or `Unschedulable`. */
  readonly onFiltered?: ((profile: Profile, status: string, seconds: number) => void) | undefined;
}

export type PlacePod = (
  profile: Profile,
  state: CycleState,
  pod: PodInfo,
  snapshot: Snapshot,
) => Placement | Promise<Placement>;

/**
 * Finds the node for one pod: filter, score, the best at random among equals. The search starts
 * where the last one ended, so that all nodes get their turn. Synchronous unless an extender wants
 * to be asked about the pod. An extender that fails and may not be ignored throws.
 */
export function createPlacement(options: PlacementOptions): PlacePod {
  const { random, nominated, extenders = [], percentageOf = () => 0 } = options;
  const { clock, onFiltered } = options;
  let startIndex = 0;

  const filterNodes = (
    { profile, state, pod, snapshot, asked }: Cycle,
    nodeNames: ReadonlySet<string> | undefined,
    statuses: Map<string, Status>,
  ): NodeInfo[] => {
    const beginMs = clock?.monotonicMs() ?? 0;
    const nodes = nodeNames === undefined ? snapshot.nodes : named(nodeNames, snapshot);
    const feasible: NodeInfo[] = [];
    const isAnyAsGood = !profile.hasScoring && !asked.some((extender) => extender.canFilter);
    const wanted = isAnyAsGood ? 1 : nodesToFind(nodes.length, percentageOf(profile));
    const start = nodeNames === undefined ? startIndex : 0;
    let looked = 0;
    for (; looked < nodes.length && feasible.length < wanted; looked++) {
      const node = nodes[(start + looked) % nodes.length] as NodeInfo;
      const status = filterWithNominated({
        profile,
        state,
        pod,
        node,
        nominated,
        isKnownNode: true,
      });
      if (status === undefined) feasible.push(node);
      else if (status.code === 'Error') throw new K3tsError('Plugin', status.reasons.join(', '));
      else statuses.set(node.name, status);
    }
    if (nodeNames === undefined && nodes.length > 0) startIndex = (start + looked) % nodes.length;
    if (clock !== undefined) {
      const status = feasible.length > 0 ? 'Success' : 'Unschedulable';
      onFiltered?.(profile, status, (clock.monotonicMs() - beginMs) / 1000);
    }
    return feasible;
  };

  const choose = (cycle: Cycle, feasible: readonly NodeInfo[], refusal: Refusal): Choice => {
    const [only] = feasible;
    if (only === undefined) return { placement: refusal };
    if (feasible.length === 1) return { placement: { nodeName: only.name } };
    const { profile, state, pod, snapshot } = cycle;
    const { scores, status } = profile.score(state, pod, feasible, snapshot);
    return status === undefined
      ? { scores }
      : { placement: { ...refusal, preFilterStatus: status } };
  };

  const askExtenders = async (
    cycle: Cycle,
    found: readonly NodeInfo[],
    statuses: Map<string, Status>,
    refusal: Refusal,
  ): Promise<Placement> => {
    const { pod, snapshot, asked } = cycle;
    let feasible = found;
    for (const extender of asked) {
      if (feasible.length === 0) break;
      if (!extender.canFilter) continue;
      try {
        feasible = await extender.filter(pod.pod, feasible, statuses);
      } catch (error) {
        if (!extender.isIgnorable) throw error;
      }
    }
    // What was known of the nodes may have changed while the extenders thought.
    feasible = feasible.filter(({ name }) => snapshot.node(name) !== undefined);
    const { placement, scores = noScores } = choose(cycle, feasible, refusal);
    if (placement !== undefined) return placement;
    const scorers = asked.filter(({ canPrioritize }) => canPrioritize);
    await Promise.all(
      scorers.map(async (extender) => {
        // upstream lets an extender that cannot score go by, ignorable or not
        const own = await extender.prioritize(pod.pod, feasible).catch(messageOf);
        if (typeof own === 'string') return;
        for (const [index, { name }] of feasible.entries()) {
          scores[index] = (scores[index] ?? 0) + (own.get(name) ?? 0);
        }
      }),
    );
    return { nodeName: pickBest(feasible, scores, random).name };
  };

  return (profile, state, pod, snapshot) => {
    const asked = extenders.filter((extender) => extender.isInterestedIn(pod.pod));
    const cycle: Cycle = { profile, state, pod, snapshot, asked };
    const statuses = new Map<string, Status>();
    const outcome = profile.preFilter(state, pod, snapshot);
    const { status: preFilterStatus, nodeNames, narrowedBy = [] } = outcome;
    const absentStatus =
      nodeNames === undefined
        ? undefined
        : unresolvable(`node(s) didn't satisfy plugin(s) [${narrowedBy.join(' ')}]`);
    const refused = { statuses, preFilterStatus, absentStatus, narrowedBy };
    const refusal: Refusal = { nodeName: undefined, ...refused };
    if (preFilterStatus !== undefined) return refusal;
    // Room was made on this node for this pod: no other is looked at while it fits there.
    const promised = snapshot.node(nominated.nodeOf(pod.key) ?? '');
    if (promised !== undefined && nodeNames?.has(promised.name) !== false) {
      const own = new Map<string, Status>();
      const fits = filterNodes(cycle, new Set([promised.name]), own);
      if (fits.length > 0) {
        if (asked.length === 0) return { nodeName: promised.name };
        return askExtenders(cycle, fits, own, refusal).then((placement) =>
          placement.nodeName === undefined ? searchAll() : placement,
        );
      }
    }
    return searchAll();

    function searchAll(): Placement | Promise<Placement> {
      const feasible = filterNodes(cycle, nodeNames, statuses);
      if (asked.length > 0) return askExtenders(cycle, feasible, statuses, refusal);
      const { placement, scores = noScores } = choose(cycle, feasible, refusal);
      return placement ?? { nodeName: pickBest(feasible, scores, random).name };
    }
  };
}

interface Cycle {
  readonly profile: Profile;
  readonly state: CycleState;
  readonly pod: PodInfo;
  readonly snapshot: Snapshot;
  /** Extenders that want to be asked about the pod. */
  readonly asked: readonly Extender[];
}

/** The answer when there is nothing to choose between, else scores to choose by. */
interface Choice {
  readonly placement?: Placement;
  readonly scores?: Float64Array;
}

function named(names: ReadonlySet<string>, snapshot: Snapshot): NodeInfo[] {
  return [...names].flatMap((name) => snapshot.node(name) ?? []);
}

function pickBest(nodes: readonly NodeInfo[], scores: Float64Array, random: Random): NodeInfo {
  let best = nodes[0] as NodeInfo;
  let bestScore = scores[0] ?? 0;
  let equals = 1;
  for (let index = 1; index < nodes.length; index++) {
    const score = scores[index] ?? 0;
    if (score < bestScore) continue;
    if (score > bestScore) {
      equals = 1;
      best = nodes[index] as NodeInfo;
      bestScore = score;
      continue;
    }
    equals++;
    if (random.integer(equals) === 0) best = nodes[index] as NodeInfo;
  }
  return best;
}
