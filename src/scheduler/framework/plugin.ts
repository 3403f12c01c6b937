import type { Pod } from '#schema/types.ts';
import type { PlacedTerm } from '../cache/affinity-index.ts';
import type { ClusterEvent, Happening } from './happening.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import type { Status } from './status.ts';

/**
 * What plugins keep for one scheduling cycle of one pod, under keys of their own. A value that
 * addPod or removePod changes has a `clone`, so that preemption can try things out.
 */
export type CycleState = Map<string, unknown>;

/** A state to try things out with; values that cannot be cloned are shared. */
export function cloneState(state: CycleState): CycleState {
  const copy: CycleState = new Map();
  for (const [key, value] of state) copy.set(key, isCloneable(value) ? value.clone() : value);
  return copy;
}

function isCloneable(value: unknown): value is { clone(): unknown } {
  return typeof value === 'object' && value !== null && 'clone' in value;
}

/** What a plugin sees of the cluster while one pod is placed. */
export interface Snapshot {
  /** Zone by zone in turn, so that a search that ends early has seen all zones. */
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  /** Changes when nodes come or go, or their images change: what all nodes together look like. */
  readonly generation: number;
  /** How many nodes have an image of this name. */
  nodesWithImage(name: string): number;
  /**
   * Pods that match by node, nodes without any left out. `id` stands for namespace (undefined: all)
   * and `matches`, which must only look at the pod. Live: read it before anything is placed.
   */
  countPods(
    id: string,
    namespace: string | undefined,
    matches: (pod: Pod) => boolean,
  ): ReadonlyMap<string, number>;
  /** The pod affinity terms of all placed pods, equal ones together. */
  readonly affinityTerms: Iterable<PlacedTerm>;
}

export interface PreFilterResult {
  readonly status?: Status | undefined;
  /** Only these nodes need to be looked at; absent for all. */
  readonly nodeNames?: ReadonlySet<string> | undefined;
}

/** Of one node; valid during the call only, entries are used again. */
export interface NodeScore {
  nodeName: string;
  score: number;
}

/** The pods that would have to leave a node, and how many of them a budget protects. */
export interface Victims {
  readonly victims: readonly PodInfo[];
  readonly budgetViolations: number;
}

export type VictimsByNode = ReadonlyMap<string, Victims>;

/** What a PostFilter plugin gets to see of a cycle that found no node. */
export interface FailedAttempt {
  readonly snapshot: Snapshot;
  readonly statuses: ReadonlyMap<string, Status>;
  readonly schedulerName: string;
  /** Pods that wait for room on the node which was promised to them. */
  nominatedOn(nodeName: string): Iterable<PodInfo>;
  /** Asks extenders which of the nodes may be cleared; absent when none wants to be asked. */
  readonly narrowVictims?: ((victims: VictimsByNode) => Promise<VictimsByNode>) | undefined;
  /** The Filter plugins of the profile, also with pods that are nominated to the node. */
  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined;
  addPod(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void;
  removePod(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void;
}

export interface PostFilterResult {
  /** Its reasons follow the failure text. */
  readonly status: Status;
  /** Where the pod will fit once `commit` has done its work. */
  readonly nominatedNodeName?: string | undefined;
  /** How many pods have to leave for that. */
  readonly victimCount?: number | undefined;
  /** An earlier nomination is void. */
  readonly clearsNomination?: boolean | undefined;
  /** Makes room. Runs beside the next cycles; its errors are logged and the pod is tried again. */
  readonly commit?: (() => Promise<void>) | undefined;
}

/**
 * One plugin under its upstream name, with the extension points that it really has. Methods get
 * read-only objects, must not wait for I/O before Reserve, and return undefined for success.
 * Order in a cycle: PreFilter, Filter (each node), PostFilter (none fits), PreScore, Score,
 * NormalizeScore, Reserve, Permit, PreBind, Bind, PostBind.
 */
export interface Plugin {
  readonly name: string;
  preEnqueue?(pod: PodInfo): Status | undefined;
  /** Negative when `a` goes first; exactly one plugin of a profile sorts. */
  less?(a: QueuedPodOrder, b: QueuedPodOrder): number;
  preFilter?(state: CycleState, pod: PodInfo, snapshot: Snapshot): PreFilterResult | undefined;
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Status | undefined;
  /**
   * The same question with another pod on the node, or without one of its pods: brings what
   * preFilter left in `state` up to that. `node` is the node after the change.
   */
  addPod?(state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo): void;
  removePod?(state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo): void;
  /**
   * No node fits. What must be written is left to `commit` of the answer. No other pod is placed
   * until a promise is kept: only who must ask outside returns one.
   */
  postFilter?(
    state: CycleState,
    pod: PodInfo,
    attempt: FailedAttempt,
  ): PostFilterResult | Promise<PostFilterResult>;
  preScore?(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    snapshot: Snapshot,
  ): Status | undefined;
  /** 0 to 100, or any number when normalizeScore brings it there. */
  score?(state: CycleState, pod: PodInfo, node: NodeInfo, snapshot: Snapshot): number;
  normalizeScore?(state: CycleState, pod: PodInfo, scores: NodeScore[]): void;
  reserve?(state: CycleState, pod: PodInfo, nodeName: string): Status | undefined;
  unreserve?(state: CycleState, pod: PodInfo, nodeName: string): void;
  permit?(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  /**
   * Whether preBind has work to do for the pod that takes its time, as upstream's PreBindPreFlight:
   * the pod then says by status.nominatedNodeName where it is going. No, when absent.
   */
  preBindPreFlight?(state: CycleState, pod: PodInfo, nodeName: string): boolean;
  preBind?(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  /** Skip leaves the pod to the next Bind plugin. */
  bind?(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  postBind?(state: CycleState, pod: PodInfo, nodeName: string): void;
  /** Events after which a pod that this plugin refused is worth another try. */
  readonly retryOn?: readonly ClusterEvent[];
  /**
   * A closer look at one of these events: false when it cannot help this pod. Upstream's queueing
   * hint; without it every event of `retryOn` helps. When in doubt, true.
   */
  isHelpedBy?(pod: PodInfo, happening: Happening): boolean;
  /**
   * True when filter, score and preScore look at nothing but the pod's shape (see podShape) and the
   * node with the pods on it: their answers are then remembered until the node changes.
   */
  readonly answersByNode?: boolean;
}

/** What queue sorting looks at. */
export interface QueuedPodOrder {
  readonly priority: number;
  readonly enqueuedMs: number;
}

export const maxNodeScore = 100;

/** Brings scores to 0..100 by their maximum, as upstream's DefaultNormalizeScore. */
export function normalizeByMaximum(scores: NodeScore[], isReversed: boolean): void {
  let maximum = 0;
  for (const { score } of scores) if (score > maximum) maximum = score;
  for (const entry of scores) {
    if (maximum === 0) {
      if (isReversed) entry.score = maxNodeScore;
      continue;
    }
    const scaled = Math.floor((maxNodeScore * entry.score) / maximum);
    entry.score = isReversed ? maxNodeScore - scaled : scaled;
  }
}
