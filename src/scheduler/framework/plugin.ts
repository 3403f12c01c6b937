import type { Pod } from '#schema/types.ts';
import type { PlacedTerm } from '../cache/affinity-index.ts';
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
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
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

export interface NodeScore {
  readonly nodeName: string;
  score: number;
}

/** What a PostFilter plugin gets to see of a cycle that found no node. */
export interface FailedAttempt {
  readonly snapshot: Snapshot;
  readonly statuses: ReadonlyMap<string, Status>;
  readonly schedulerName: string;
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
  /** An earlier nomination is void. */
  readonly clearsNomination?: boolean | undefined;
  /** Makes room. Runs beside the next cycles; its errors are logged and the pod is tried again. */
  readonly commit?: (() => Promise<void>) | undefined;
}

/** Happenings in the cluster that may make an unschedulable pod schedulable. */
export type ClusterEvent =
  | 'Node/Add'
  | 'Node/Delete'
  | 'Node/UpdateAllocatable'
  | 'Node/UpdateLabel'
  | 'Node/UpdateTaint'
  | 'Node/UpdateOther'
  | 'AssignedPod/Add'
  | 'AssignedPod/Update'
  | 'AssignedPod/Delete'
  | 'UnscheduledPod/Update'
  | 'Namespace/Update'
  | 'Storage/Update'
  | 'Other';

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
  /** No node fits. Synchronous: what must be written is left to `commit` of the answer. */
  postFilter?(state: CycleState, pod: PodInfo, attempt: FailedAttempt): PostFilterResult;
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
  preBind?(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  /** Skip leaves the pod to the next Bind plugin. */
  bind?(state: CycleState, pod: PodInfo, nodeName: string): Promise<Status | undefined>;
  postBind?(state: CycleState, pod: PodInfo, nodeName: string): void;
  /** Events after which a pod that this plugin refused is worth another try. */
  readonly retryOn?: readonly ClusterEvent[];
}

/** What queue sorting looks at. */
export interface QueuedPodOrder {
  readonly priority: number;
  readonly enqueuedMs: number;
}

export const maxNodeScore = 100;

/** Brings scores to 0..100 by their maximum, as upstream's DefaultNormalizeScore. */
export function normalizeByMaximum(scores: NodeScore[], isReversed: boolean): void {
  const maximum = Math.max(0, ...scores.map(({ score }) => score));
  for (const entry of scores) {
    if (maximum === 0) {
      if (isReversed) entry.score = maxNodeScore;
      continue;
    }
    const scaled = Math.floor((maxNodeScore * entry.score) / maximum);
    entry.score = isReversed ? maxNodeScore - scaled : scaled;
  }
}
