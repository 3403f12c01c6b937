import type { RetryRule } from './retry-rule.ts';
import { extensionPointNames } from './extension-points.ts';
import type { ExtensionPoint, PluginsByPoint } from './extension-points.ts';
import { boundedScore, isSummed, NodeAnswers } from './node-answers.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import type {
  CycleState,
  FailedAttempt,
  NodeScore,
  Plugin,
  PostFilterResult,
  QueuedPodOrder,
  Snapshot,
} from './plugin.ts';
import { isSuccess, unresolvable } from './status.ts';
import type { Status } from './status.ts';

/** What the PreFilter plugins found together. */
export interface PreFilterOutcome {
  readonly status?: Status | undefined;
  /** The nodes that are left, and the plugins that say so; absent when all are. */
  readonly nodeNames?: ReadonlySet<string> | undefined;
  readonly narrowedBy?: readonly string[] | undefined;
}

/** The plugins that serve one schedulerName, with the extension points run over them in order. */
export interface Profile {
  readonly schedulerName: string;
  /** Every plugin of the profile once. */
  readonly plugins: readonly Plugin[];
  /** False when one fitting node is as good as another. */
  readonly hasScoring: boolean;
  /** Negative when `a` goes first. */
  less(a: QueuedPodOrder, b: QueuedPodOrder): number;
  preEnqueue(pod: PodInfo): Status | undefined;
  /** What brings a pod back that the plugin of this name refused. */
  retryRule(plugin: string): RetryRule | undefined;
  preFilter(state: CycleState, pod: PodInfo, snapshot: Snapshot): PreFilterOutcome;
  /** The first refusal; a plugin that PreFilter let skip is not asked. */
  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined;
  /** `filter` for a node of the snapshot as it is, whose former answers then count. */
  filterKnown(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined;
  /** What preFilter found out, brought up to another pod on the node or one less. */
  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void;
  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void;
  /** The first plugin that makes room, or all their refusals. Undefined without such plugins. */
  postFilter(
    state: CycleState,
    pod: PodInfo,
    attempt: FailedAttempt,
  ): PostFilterResult | Promise<PostFilterResult> | undefined;
  reserve(state: CycleState, pod: PodInfo, nodeName: string): Status | undefined;
  unreserve(state: CycleState, pod: PodInfo, nodeName: string): void;
  /** Whether PreBind will take its time for this pod. */
  isSlowToBind(state: CycleState, pod: PodInfo, nodeName: string): boolean;
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
  ): { scores: Float64Array; status?: Status | undefined };
}

const skippedKey = 'framework/skipped';

export function createProfile(schedulerName: string, points: PluginsByPoint): Profile {
  const at = (point: ExtensionPoint): readonly Plugin[] =>
    points[point].map(({ plugin }) => plugin);
  const plugins = [...new Set(extensionPointNames.flatMap(at))];
  const rules = new Map(
    plugins.map(({ name, retryOn = [], isHelpedBy }) => [name, { events: retryOn, isHelpedBy }]),
  );
  const preEnqueuers = at('preEnqueue');
  const [sorter] = at('queueSort');
  const preFilters = at('preFilter');
  const filters = at('filter');
  const postFilters = at('postFilter');
  const preScorers = at('preScore');
  const scorers = points.score;
  const reservers = at('reserve');
  const binders = at('bind');
  const answers = new NodeAnswers(filters, scorers, named);
  const laterFilters = filters.slice(answers.filters.length);
  /** Used again for each plugin and pod: thousands of small objects a pod are what costs. */
  let scratch: NodeScore[] = [];

  return {
    schedulerName,
    plugins,
    hasScoring: scorers.length > 0,
    less: (a, b) => sorter?.less?.(a, b) ?? a.enqueuedMs - b.enqueuedMs,
    retryRule: (plugin) => rules.get(plugin),
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
      answers.begin(pod, snapshot);
      let nodeNames: ReadonlySet<string> | undefined;
      const narrowedBy: string[] = [];
      for (const plugin of preFilters) {
        const result = plugin.preFilter?.(state, pod, snapshot);
        if (result?.status?.code === 'Skip') skipped.add(plugin.name);
        else if (!isSuccess(result?.status))
          return { status: named(result?.status, plugin, 'PreFilter') };
        if (result?.nodeNames === undefined) continue;
        nodeNames = nodeNames?.intersection(result.nodeNames) ?? result.nodeNames;
        narrowedBy.push(plugin.name);
        narrowedBy.sort();
        if (nodeNames.size === 0) return { status: named(nothingLeft(narrowedBy), plugin) };
      }
      return { nodeNames, narrowedBy };
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
    filterKnown(state, pod, node) {
      const skipped = state.get(skippedKey) as ReadonlySet<string>;
      const refusal = answers.filter(state, pod, node, skipped);
      if (refusal !== undefined) return refusal;
      for (const plugin of laterFilters) {
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
      if (postFilters.length === 0) return undefined;
      const reasons: string[] = [];
      let clearsNomination = false;
      const ask = (from: number): PostFilterResult | Promise<PostFilterResult> => {
        const plugin = postFilters[from];
        if (plugin === undefined) {
          return { status: { code: 'Unschedulable', reasons }, clearsNomination };
        }
        const take = (result: PostFilterResult | undefined) => {
          if (result !== undefined && isSuccess(result.status)) return result;
          reasons.push(...(result?.status.reasons ?? []));
          clearsNomination ||= result?.clearsNomination === true;
          return ask(from + 1);
        };
        const result = plugin.postFilter?.(state, pod, attempt);
        return result instanceof Promise ? result.then(take) : take(result);
      };
      return ask(0);
    },
    score(state, pod, nodes, snapshot) {
      const skipped = new Set<string>();
      for (const plugin of preScorers) {
        const status = plugin.preScore?.(state, pod, nodes, snapshot);
        if (status?.code === 'Skip') skipped.add(plugin.name);
        else if (!isSuccess(status))
          return { scores: new Float64Array(0), status: named(status, plugin, 'PreScore') };
      }
      const totals = new Float64Array(nodes.length);
      answers.addSums(totals, { state, pod, skipped }, nodes, snapshot);
      for (const [index, { plugin, weight }] of scorers.entries()) {
        if (isSummed(plugin) || skipped.has(plugin.name)) continue;
        scratch = reuse(scratch, nodes);
        const isKnown = plugin.answersByNode === true;
        for (let number = 0; number < nodes.length; number++) {
          const node = nodes[number] as NodeInfo;
          (scratch[number] as NodeScore).score = isKnown
            ? answers.score(index, state, pod, node, snapshot)
            : (plugin.score?.(state, pod, node, snapshot) ?? 0);
        }
        plugin.normalizeScore?.(state, pod, scratch);
        for (let number = 0; number < nodes.length; number++) {
          const { score } = scratch[number] as NodeScore;
          totals[number] = (totals[number] as number) + boundedScore(score) * weight;
        }
      }
      return { scores: totals };
    },
    reserve(state, pod, nodeName) {
      for (const plugin of reservers) {
        const status = plugin.reserve?.(state, pod, nodeName);
        if (!isSuccess(status)) return named(status, plugin, 'Reserve');
      }
      return undefined;
    },
    unreserve(state, pod, nodeName) {
      // in reverse: what was reserved last is let go first
      for (const plugin of reservers.toReversed()) plugin.unreserve?.(state, pod, nodeName);
    },
    isSlowToBind: (state, pod, nodeName) =>
      at('preBind').some((plugin) => plugin.preBindPreFlight?.(state, pod, nodeName) === true),
    async permitAndPreBind(state, pod, nodeName) {
      for (const point of ['permit', 'preBind'] as const) {
        for (const plugin of at(point)) {
          const status = await plugin[point]?.(state, pod, nodeName);
          if (!isSuccess(status)) {
            return named(status, plugin, point === 'permit' ? 'Permit' : 'PreBind');
          }
        }
      }
      return undefined;
    },
    async bind(state, pod, nodeName) {
      for (const plugin of binders) {
        const status = await plugin.bind?.(state, pod, nodeName);
        if (status?.code !== 'Skip') return named(status, plugin, 'Bind');
      }
      return { code: 'Error', reasons: ['no bind plugin took the pod'] };
    },
    postBind(state, pod, nodeName) {
      for (const plugin of at('postBind')) plugin.postBind?.(state, pod, nodeName);
    },
  };
}

/** With the plugin's name; errors also say in their text who had them, as upstream's do. */
function named(status: Status, plugin: Plugin, point?: string): Status;
function named(status: Status | undefined, plugin: Plugin, point?: string): Status | undefined;
function named(status: Status | undefined, plugin: Plugin, point?: string): Status | undefined {
  if (status === undefined) return undefined;
  const { name } = plugin;
  if (status.code !== 'Error') return { ...status, plugin: name };
  const who =
    point === undefined ? `running "${name}" filter plugin` : `running ${point} plugin "${name}"`;
  return { ...status, plugin: name, reasons: status.reasons.map((reason) => `${who}: ${reason}`) };
}

function nothingLeft(plugins: readonly string[]): Status {
  const [only] = plugins;
  return unresolvable(
    plugins.length === 1
      ? `node(s) didn't satisfy plugin ${only ?? ''}`
      : `node(s) didn't satisfy plugin(s) [${plugins.join(' ')}] simultaneously`,
  );
}

/** One entry for each node, those of an earlier list where there are any. */
function reuse(entries: NodeScore[], nodes: readonly NodeInfo[]): NodeScore[] {
  entries.length = Math.min(entries.length, nodes.length);
  for (const [index, { name }] of nodes.entries()) {
    const entry = entries[index];
    if (entry === undefined) entries.push({ nodeName: name, score: 0 });
    else entry.nodeName = name;
  }
  return entries;
}
