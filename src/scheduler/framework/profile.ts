import type { NodeInfo, PodInfo } from './node-info.ts';
import { maxNodeScore } from './plugin.ts';
import type {
  CycleState,
  FailedAttempt,
  NodeScore,
  Plugin,
  PostFilterResult,
  Snapshot,
} from './plugin.ts';
import { isSuccess } from './status.ts';
import type { Status } from './status.ts';

/** A plugin of a profile and how much its score counts. */
export interface WeightedPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

/** The plugins that serve one schedulerName, with the extension points run over them in order. */
export interface Profile {
  readonly schedulerName: string;
  readonly plugins: readonly Plugin[];
  preEnqueue(pod: PodInfo): Status | undefined;
  preFilter(
    state: CycleState,
    pod: PodInfo,
    snapshot: Snapshot,
  ): { status?: Status | undefined; nodeNames?: ReadonlySet<string> | undefined };
  /** The first refusal; a plugin that PreFilter let skip is not asked. */
  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined;
  /** What preFilter found out, brought up to another pod on the node or one less. */
  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void;
  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void;
  /** The first plugin that makes room, or all their refusals. Undefined without such plugins. */
  postFilter(state: CycleState, pod: PodInfo, attempt: FailedAttempt): PostFilterResult | undefined;
  /** Weighted sums by node, in the order of `nodes`. */
  score(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    snapshot: Snapshot,
  ): { scores: number[]; status?: Status | undefined };
}

const skippedKey = 'framework/skipped';

export function createProfile(schedulerName: string, weighted: readonly WeightedPlugin[]): Profile {
  const plugins = weighted.map(({ plugin }) => plugin);
  const having = (point: keyof Plugin): Plugin[] =>
    plugins.filter((plugin) => plugin[point] !== undefined);
  const preEnqueuers = having('preEnqueue');
  const preFilters = having('preFilter');
  const filters = having('filter');
  const postFilters = having('postFilter');
  const preScorers = having('preScore');
  const scorers = weighted.filter(({ plugin }) => plugin.score !== undefined);

  return {
    schedulerName,
    plugins,
    preEnqueue(pod) {
      for (const plugin of preEnqueuers) {
        const status = plugin.preEnqueue?.(pod);
        if (!isSuccess(status)) return named(status, plugin);
      }
      return undefined;
    },
    preFilter(state, pod, snapshot) {
      const skipped = new Set<string>();
      state.set(skippedKey, skipped);
      let nodeNames: ReadonlySet<string> | undefined;
      for (const plugin of preFilters) {
        const result = plugin.preFilter?.(state, pod, snapshot);
        if (result?.status?.code === 'Skip') skipped.add(plugin.name);
        else if (!isSuccess(result?.status)) return { status: named(result?.status, plugin) };
        if (result?.nodeNames !== undefined) {
          nodeNames = nodeNames?.intersection(result.nodeNames) ?? result.nodeNames;
        }
      }
      return { nodeNames };
    },
    filter(state, pod, node) {
      const skipped = state.get(skippedKey) as ReadonlySet<string>;
      for (const plugin of filters) {
        if (skipped.has(plugin.name)) continue;
        const status = plugin.filter?.(state, pod, node);
        if (!isSuccess(status)) return named(status, plugin);
      }
      return undefined;
    },
    addPod(state, pod, added, node) {
      const skipped = state.get(skippedKey) as ReadonlySet<string>;
      for (const plugin of preFilters) {
        if (!skipped.has(plugin.name)) plugin.addPod?.(state, pod, added, node);
      }
    },
    removePod(state, pod, removed, node) {
      const skipped = state.get(skippedKey) as ReadonlySet<string>;
      for (const plugin of preFilters) {
        if (!skipped.has(plugin.name)) plugin.removePod?.(state, pod, removed, node);
      }
    },
    postFilter(state, pod, attempt) {
      const reasons: string[] = [];
      let clearsNomination = false;
      for (const plugin of postFilters) {
        const result = plugin.postFilter?.(state, pod, attempt);
        if (result === undefined) continue;
        if (isSuccess(result.status)) return result;
        reasons.push(...result.status.reasons);
        clearsNomination ||= result.clearsNomination === true;
      }
      if (postFilters.length === 0) return undefined;
      return { status: { code: 'Unschedulable', reasons }, clearsNomination };
    },
    score(state, pod, nodes, snapshot) {
      const skipped = new Set<string>();
      for (const plugin of preScorers) {
        const status = plugin.preScore?.(state, pod, nodes, snapshot);
        if (status?.code === 'Skip') skipped.add(plugin.name);
        else if (!isSuccess(status)) return { scores: [], status: named(status, plugin) };
      }
      const totals = Array<number>(nodes.length).fill(0);
      for (const { plugin, weight } of scorers) {
        if (skipped.has(plugin.name)) continue;
        const scores: NodeScore[] = nodes.map((node) => ({
          nodeName: node.name,
          score: plugin.score?.(state, pod, node, snapshot) ?? 0,
        }));
        plugin.normalizeScore?.(state, pod, scores);
        for (const [index, { score }] of scores.entries()) {
          const bounded = Math.min(Math.max(score, 0), maxNodeScore);
          totals[index] = (totals[index] ?? 0) + bounded * weight;
        }
      }
      return { scores: totals };
    },
  };
}

function named(status: Status | undefined, plugin: Plugin): Status | undefined {
  return status === undefined ? undefined : { ...status, plugin: plugin.name };
}
