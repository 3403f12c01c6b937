import type { DaemonSet, Node, Pod } from '#schema/types.ts';
import { scaledValue } from '../int-or-percent.ts';
import { isDeleting, isPodAvailable, isPodFinished, isPodReady } from '../pods/pod-state.ts';
import { isUpdated, revisionLabel, targetNodeOf } from './daemon-pod.ts';
import type { NodeFit } from './node-fit.ts';

/** What has to be done: nodes that get a pod, and pods that go. */
export interface Placement {
  readonly nodes: string[];
  readonly pods: Pod[];
}

export interface PlacementInput {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  readonly fitOf: (node: Node) => NodeFit;
  readonly podsByNode: ReadonlyMap<string, readonly Pod[]>;
  readonly hash: string;
  readonly nowMs: number;
  /** Whether an ended pod on this node may go now; tells about it when it may. */
  readonly mayRemoveEnded: (pod: Pod, nodeName: string) => boolean;
}

/** Ended pods that are being deleted are left out: whoever holds them up, their node is free. */
export function groupByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    if (isPodFinished(pod) && isDeleting(pod)) continue;
    const name = targetNodeOf(pod);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [pod]);
    else group.push(pod);
  }
  return groups;
}

/** Scheduled ones first, then the oldest, then by name. */
export function byAge(pods: readonly Pod[]): Pod[] {
  const rank = ({ spec, metadata }: Pod): string =>
    `${(spec?.nodeName ?? '') === '' ? 1 : 0} ${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return pods.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

export function allowsSurge(set: DaemonSet): boolean {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {};
  return type === 'RollingUpdate' && scaledValue(rollingUpdate?.maxSurge ?? 0, 100, true) > 0;
}

/** Which nodes lack their pod, and which pods are too many, ended, or where they must not be. */
export function placePods(input: PlacementInput): Placement {
  const placement: Placement = { nodes: [], pods: [] };
  const names = new Set<string>();
  for (const node of input.nodes) {
    names.add(node.metadata.name);
    placeOnNode(input, node, placement);
  }
  for (const [name, pods] of input.podsByNode) {
    if (names.has(name)) continue;
    // No scheduler will bind them, and the pod garbage collector looks at bound pods only.
    const unbound = pods.filter((pod) => (pod.spec?.nodeName ?? '') === '' && !isDeleting(pod));
    placement.pods.push(...unbound);
  }
  return placement;
}

function placeOnNode(input: PlacementInput, node: Node, placement: Placement): void {
  const { set, fitOf, podsByNode, mayRemoveEnded } = input;
  const { shouldRun, mayStay } = fitOf(node);
  const { name } = node.metadata;
  const pods = podsByNode.get(name);
  if (pods === undefined) {
    if (shouldRun) placement.nodes.push(name);
    return;
  }
  const present = pods.filter((pod) => !isDeleting(pod));
  if (!mayStay) {
    placement.pods.push(...present);
    return;
  }
  const running: Pod[] = [];
  for (const pod of present) {
    const hasEnded = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
    if (!hasEnded) running.push(pod);
    else if (mayRemoveEnded(pod, name)) placement.pods.push(pod);
  }
  if (!allowsSurge(set)) placement.pods.push(...byAge(running).slice(1));
  else if (running.length === 0 && shouldRun) placement.nodes.push(name);
  else placement.pods.push(...excessOfSurge(input, running));
}

/** An old pod may stay beside the new one only as long as it serves and the new one does not. */
function excessOfSurge({ set, hash, nowMs }: PlacementInput, running: readonly Pod[]): Pod[] {
  const sorted = byAge(running);
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[revisionLabel] === hash;
  const next = sorted.find(isNew);
  const old = sorted.find((pod) => !isNew(pod));
  const excess = sorted.filter((pod) => pod !== next && pod !== old);
  if (next === undefined || old === undefined) return excess;
  const isReplaced = isPodAvailable(next, set.spec?.minReadySeconds ?? 0, nowMs);
  return !isPodReady(old) || isReplaced ? [...excess, old] : excess;
}

/** The next step of a rolling update, within maxUnavailable or maxSurge. */
export function updateStep(input: PlacementInput): Placement {
  const { set, nodes, fitOf, podsByNode } = input;
  const desired = nodes.filter((node) => fitOf(node).shouldRun);
  const { maxUnavailable = 1, maxSurge = 0 } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired.length, true);
  const unavailable = scaledValue(maxUnavailable, desired.length, true);
  const groups = new Map(podsByNode);
  for (const { metadata } of desired) if (!groups.has(metadata.name)) groups.set(metadata.name, []);
  if (surge > 0) return surgeStep(input, groups, surge);
  return replaceStep(input, groups, Math.max(unavailable, 1));
}

interface Pair {
  readonly next: Pod | undefined;
  readonly old: Pod | undefined;
}

/** The pods of a node, or undefined when there are more than an update can deal with. */
function pairOf({ set, hash }: PlacementInput, pods: readonly Pod[]): Pair | undefined {
  const present = pods.filter((pod) => !isDeleting(pod));
  const next = present.filter((pod) => isUpdated(set, pod, hash));
  const old = present.filter((pod) => !next.includes(pod));
  return next.length > 1 || old.length > 1 ? undefined : { next: next[0], old: old[0] };
}

function isAvailable({ set, nowMs }: PlacementInput, pod: Pod): boolean {
  return isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs);
}

function replaceStep(
  input: PlacementInput,
  groups: ReadonlyMap<string, readonly Pod[]>,
  maxUnavailable: number,
): Placement {
  const broken: Pod[] = [];
  const serving: Pod[] = [];
  let missing = 0;
  for (const pods of groups.values()) {
    const { next, old } = pairOf(input, pods) ?? {};
    if ((next === undefined) === (old === undefined)) missing += 1;
    else if (next !== undefined) missing += isAvailable(input, next) ? 0 : 1;
    else if (old !== undefined && isAvailable(input, old)) serving.push(old);
    else if (old !== undefined) {
      broken.push(old);
      missing += 1;
    }
  }
  const room = Math.max(maxUnavailable - missing, 0);
  return { nodes: [], pods: [...broken, ...serving.slice(0, room)] };
}

function surgeStep(
  input: PlacementInput,
  groups: ReadonlyMap<string, readonly Pod[]>,
  maxSurge: number,
): Placement {
  const broken: string[] = [];
  const serving: string[] = [];
  const replaced: Pod[] = [];
  let surging = 0;
  for (const [name, pods] of groups) {
    const pair = pairOf(input, pods);
    if (pair === undefined) {
      surging += 1;
      continue;
    }
    const { next, old } = pair;
    if (old === undefined) continue;
    if (next !== undefined) {
      if (isAvailable(input, next)) replaced.push(old);
      else surging += 1;
    } else if (isAvailable(input, old)) serving.push(name);
    else broken.push(name);
  }
  const room = Math.max(maxSurge - surging, 0);
  return { nodes: [...broken, ...serving.slice(0, room)], pods: replaced };
}
