import type { NodeInfo, PodInfo } from './node-info.ts';
import type { Status } from './status.ts';

/** What plugins keep for one scheduling cycle of one pod, under keys of their own. */
export type CycleState = Map<string, unknown>;

/** What a plugin sees of the cluster while one pod is placed. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  /** How many nodes have an image of this name. */
  nodesWithImage(name: string): number;
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

/** Happenings in the cluster that may make an unschedulable pod schedulable. */
export type ClusterEvent =
  | 'Node/Add'
  | 'Node/UpdateAllocatable'
  | 'Node/UpdateLabel'
  | 'Node/UpdateTaint'
  | 'Node/UpdateOther'
  | 'AssignedPod/Add'
  | 'AssignedPod/Update'
  | 'AssignedPod/Delete'
  | 'UnscheduledPod/Update'
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
  postFilter?(
    state: CycleState,
    pod: PodInfo,
    statuses: ReadonlyMap<string, Status>,
  ): Promise<{ status: Status; nominatedNodeName?: string | undefined }>;
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
