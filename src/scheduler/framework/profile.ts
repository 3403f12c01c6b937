import { extensionPointNames } from './extension-points.ts';
import type { ExtensionPoint, PluginsByPoint } from './extension-points.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import { maxNodeScore } from './plugin.ts';
import type {
  CycleState,
  FailedAttempt,
  NodeScore,
  Plugin,
  PostFilterResult,
  QueuedPodOrder,
  Snapshot,
} from './plugin.ts';
import { isSuccess } from './status.ts';
import type { Status } from './status.ts';

/** The plugins that serve one schedulerName, with the extension points run over them in order. */
export interface Profile {
  readonly schedulerName: string;
  /** Every plugin of the profile once. */
  readonly plugins: readonly Plugin[];
  /** Negative when `a` goes first. */
  less(a: QueuedPodOrder, b: QueuedPodOrder): number;
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
  reserve(state: CycleState, pod: PodInfo, nodeName: string): Status | undefined;
  unreserve(state: CycleState, pod: PodInfo, nodeName: string): void;
  /** Permit, then PreBind; the first refusal ends it. */
  permitAndPreBind(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  /** The first Bind plugin that does not skip. */
  bind(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  postBind(state: CycleState, pod: PodInfo, nodeName: string): void;
  /** Weighted sums by node, in the order of `nodes`. */
  score(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    snapshot: Snapshot,
  ): { scores: number[]; status?: Status | undefined };
}

const skippedKey = 'framework/skipped';

export function createProfile(schedulerName: string, points: PluginsByPoint): Profile {
  const at = (point: ExtensionPoint): readonly Plugin[] =>
    points[point].map(({ plugin }) => plugin);
  const plugins = [...new Set(extensionPointNames.flatMap(at))];
  const preEnqueuers = at('preEnqueue');
  const [sorter] = at('queueSort');
  const preFilters = at('preFilter');
  const filters = at('filter');
  const postFilters = at('postFilter');
  const preScorers = at('preScore');
  const scorers = points.score;
  const reservers = at('reserve');
  const binders = at('bind');

  return {
    schedulerName,
    plugins,
    less: (a, b) => sorter?.less?.(a, b) ?? a.enqueuedMs - b.enqueuedMs,
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
    reserve(state, pod, nodeName) {
      for (const plugin of reservers) {
        const status = plugin.reserve?.(state, pod, nodeName);
        if (!isSuccess(status)) return named(status, plugin);
      }
      return undefined;
    },
    unreserve(state, pod, nodeName) {
      // in reverse: what was reserved last is let go first
      for (const plugin of reservers.toReversed()) plugin.unreserve?.(state, pod, nodeName);
    },
    async permitAndPreBind(state, pod, nodeName) {
      for (const point of ['permit', 'preBind'] as const) {
        for (const plugin of at(point)) {
          const status = await plugin[point]?.(state, pod, nodeName);
          if (!isSuccess(status)) return named(status, plugin);
        }
      }
      return undefined;
    },
    async bind(state, pod, nodeName) {
      for (const plugin of binders) {
        const status = await plugin.bind?.(state, pod, nodeName);
        if (status?.code !== 'Skip') return named(status, plugin);
      }
      return { code: 'Error', reasons: ['no bind plugin took the pod'] };
    },
    postBind(state, pod, nodeName) {
      for (const plugin of at('postBind')) plugin.postBind?.(state, pod, nodeName);
    },
  };
}

function named(status: Status | undefined, plugin: Plugin): Status | undefined {
  return status === undefined ? undefined : { ...status, plugin: plugin.name };
}
