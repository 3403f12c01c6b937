import type { WeightedPlugin } from './extension-points.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import { maxNodeScore } from './plugin.ts';
import type { CycleState, Plugin, Snapshot } from './plugin.ts';
import { isSuccess } from './status.ts';
import type { Status } from './status.ts';

/** Shapes of pods whose answers are kept; the one used longest ago makes room. */
const maxShapes = 16;

/** What each node answered pods of one shape, and the version of the node that it is about. */
class ShapeAnswers {
  filterVersions = new Int32Array(0);
  refusals: (Status | undefined)[] = [];
  sumVersions = new Int32Array(0);
  sums = new Float64Array(0);
  /** By score plugin. */
  readonly scoreVersions: Int32Array[];
  readonly scores: Float64Array[];

  constructor(scorers: number) {
    this.scoreVersions = Array.from({ length: scorers }, () => new Int32Array(0));
    this.scores = Array.from({ length: scorers }, () => new Float64Array(0));
  }

  /** Makes room for a slot, and twice as many, so that growing stays rare. */
  reach(slot: number): void {
    if (slot < this.filterVersions.length) return;
    const size = Math.max(128, 2 * (slot + 1));
    this.filterVersions = grown(this.filterVersions, new Int32Array(size));
    this.sumVersions = grown(this.sumVersions, new Int32Array(size));
    this.sums = grown(this.sums, new Float64Array(size));
    for (const [index, versions] of this.scoreVersions.entries()) {
      this.scoreVersions[index] = grown(versions, new Int32Array(size));
      this.scores[index] = grown(this.scores[index] as Float64Array, new Float64Array(size));
    }
  }
}

/**
 * Remembers what plugins with `answersByNode` said: of all nodes only the one that got the last pod
 * is different for the next pod of the same Deployment, so only that one is asked again. The reason
 * why placing a pod among thousands of nodes takes microseconds.
 */
export class NodeAnswers {
  /** Filter plugins at the head of the list, up to the first that looks further than its node. */
  readonly filters: readonly Plugin[];
  readonly #scorers: readonly Plugin[];
  /** Scorers whose score counts as it is: they are remembered as one weighted sum. */
  readonly #summed: readonly WeightedPlugin[];
  readonly #shapes = new Map<string, ShapeAnswers>();
  /** Puts the name of the plugin into what it said. */
  readonly #withName: (status: Status, plugin: Plugin) => Status;
  #generation = -1;
  #current = new ShapeAnswers(0);

  constructor(
    filters: readonly Plugin[],
    scorers: readonly WeightedPlugin[],
    withName = (status: Status, { name }: Plugin): Status => ({ ...status, plugin: name }),
  ) {
    this.#withName = withName;
    const end = filters.findIndex(({ answersByNode }) => answersByNode !== true);
    this.filters = end < 0 ? filters : filters.slice(0, end);
    this.#scorers = scorers.map(({ plugin }) => plugin);
    this.#summed = scorers.filter(({ plugin }) => isSummed(plugin));
  }

  /** Call before the first question about a pod, in each cycle. */
  begin(pod: PodInfo, snapshot: Snapshot): void {
    if (snapshot.generation !== this.#generation) {
      this.#shapes.clear();
      this.#generation = snapshot.generation;
    }
    const known = this.#shapes.get(pod.shape);
    if (known !== undefined) this.#shapes.delete(pod.shape);
    else if (this.#shapes.size >= maxShapes) {
      for (const oldest of this.#shapes.keys()) {
        this.#shapes.delete(oldest);
        break;
      }
    }
    this.#current = known ?? new ShapeAnswers(this.#scorers.length);
    this.#shapes.set(pod.shape, this.#current);
  }

  /** The first refusal of `filters`; `node` must be one of the snapshot, not a copy. */
  filter(
    state: CycleState,
    pod: PodInfo,
    node: NodeInfo,
    skipped: ReadonlySet<string>,
  ): Status | undefined {
    const { slot, version } = node;
    const answers = this.#current;
    answers.reach(slot);
    if (answers.filterVersions[slot] === version) return answers.refusals[slot];
    let refusal: Status | undefined;
    for (const plugin of this.filters) {
      if (skipped.has(plugin.name)) continue;
      const status = plugin.filter?.(state, pod, node);
      if (isSuccess(status) || status === undefined) continue;
      refusal = this.#withName(status, plugin);
      break;
    }
    answers.filterVersions[slot] = version;
    answers.refusals[slot] = refusal;
    return refusal;
  }

  /** Adds the weighted scores of all plugins that `isSummed` to those of the nodes. */
  addSums(
    totals: Float64Array,
    cycle: { state: CycleState; pod: PodInfo; skipped: ReadonlySet<string> },
    nodes: readonly NodeInfo[],
    snapshot: Snapshot,
  ): void {
    const answers = this.#current;
    const { state, pod, skipped } = cycle;
    const summed = this.#summed.filter(({ plugin }) => !skipped.has(plugin.name));
    for (let index = 0; index < nodes.length; index++) {
      const node = nodes[index] as NodeInfo;
      const { slot, version } = node;
      answers.reach(slot);
      if (answers.sumVersions[slot] !== version) {
        let sum = 0;
        for (const { plugin, weight } of summed) {
          sum += boundedScore(plugin.score?.(state, pod, node, snapshot) ?? 0) * weight;
        }
        answers.sums[slot] = sum;
        answers.sumVersions[slot] = version;
      }
      totals[index] = (totals[index] as number) + (answers.sums[slot] as number);
    }
  }

  /** The plain score of the plugin with this index in the list of score plugins. */
  score(
    index: number,
    state: CycleState,
    pod: PodInfo,
    node: NodeInfo,
    snapshot: Snapshot,
  ): number {
    const { slot, version } = node;
    const answers = this.#current;
    answers.reach(slot);
    const versions = answers.scoreVersions[index] as Int32Array;
    const scores = answers.scores[index] as Float64Array;
    if (versions[slot] !== version) {
      scores[slot] = this.#scorers[index]?.score?.(state, pod, node, snapshot) ?? 0;
      versions[slot] = version;
    }
    return scores[slot] ?? 0;
  }
}

/** Whether the score of a plugin needs no look at other nodes, not even to normalise it. */
export function isSummed({ answersByNode, normalizeScore }: Plugin): boolean {
  return answersByNode === true && normalizeScore === undefined;
}

export function boundedScore(score: number): number {
  return score < 0 ? 0 : score > maxNodeScore ? maxNodeScore : score;
}

function grown<T extends Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
