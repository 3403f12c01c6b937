import type { Pod } from '#schema/types.ts';
import { isPodReady, podCondition } from '../pods/pod-state.ts';

/** What the order of deletion needs to know beside the pod. */
export interface RankContext {
  /** Related active pods (of all replica sets of the same owner) on each node. */
  readonly podsOnNode: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Below zero when `a` should be deleted before `b`: upstream's order. Unassigned, not running, not
 * ready, cheaper by annotation, doubled up on a node, ready for a shorter time, restarted more
 * often, younger. Times are compared by order of magnitude; equal ones leave the choice to the uid.
 */
export function compareForDeletion(a: Pod, b: Pod, context: RankContext): number {
  const isBothReady = isPodReady(a) && isPodReady(b);
  return (
    Number(nodeOf(a) !== '') - Number(nodeOf(b) !== '') ||
    phaseOf(a) - phaseOf(b) ||
    Number(isPodReady(a)) - Number(isPodReady(b)) ||
    costOf(a) - costOf(b) ||
    (context.podsOnNode.get(nodeOf(b)) ?? 0) - (context.podsOnNode.get(nodeOf(a)) ?? 0) ||
    (isBothReady ? compareAge(readySinceMs(a), readySinceMs(b), a, b, context.nowMs) : 0) ||
    restartsOf(b, 'sidecar') - restartsOf(a, 'sidecar') ||
    restartsOf(b, 'regular') - restartsOf(a, 'regular') ||
    compareAge(createdMs(a), createdMs(b), a, b, context.nowMs)
  );
}

/**
 * The plainer order of Jobs: unassigned, not running, not ready, ready or made later, restarted
 * more often.
 */
export function compareActivePods(a: Pod, b: Pod): number {
  const isBothReady = isPodReady(a) && isPodReady(b);
  return (
    Number(nodeOf(a) !== '') - Number(nodeOf(b) !== '') ||
    phaseOf(a) - phaseOf(b) ||
    Number(isPodReady(a)) - Number(isPodReady(b)) ||
    (isBothReady ? laterFirst(readySinceMs(a), readySinceMs(b)) : 0) ||
    restartsOf(b, 'sidecar') - restartsOf(a, 'sidecar') ||
    restartsOf(b, 'regular') - restartsOf(a, 'regular') ||
    laterFirst(createdMs(a), createdMs(b))
  );
}

/** An unknown time counts as the latest. */
function laterFirst(aMs: number, bMs: number): number {
  if (aMs === 0 || bMs === 0) return Number(bMs === 0) - Number(aMs === 0);
  return bMs - aMs;
}

/** The `excess` pods to delete. */
export function podsToDelete(pods: readonly Pod[], excess: number, context: RankContext): Pod[] {
  if (excess >= pods.length) return [...pods];
  return pods.toSorted((a, b) => compareForDeletion(a, b, context)).slice(0, excess);
}

function nodeOf(pod: Pod): string {
  return pod.spec?.nodeName ?? '';
}

function phaseOf(pod: Pod): number {
  return phaseRank[pod.status?.phase ?? 'Pending'] ?? 2;
}

function costOf(pod: Pod): number {
  const text = pod.metadata.annotations?.[costAnnotation];
  return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function readySinceMs(pod: Pod): number {
  return timeOf(podCondition(pod, 'Ready')?.lastTransitionTime);
}

function createdMs(pod: Pod): number {
  return timeOf(pod.metadata.creationTimestamp);
}

function timeOf(text: string | undefined): number {
  return text === undefined ? 0 : Date.parse(text);
}

/** Younger first; ages of the same power of two of nanoseconds are equal. */
function compareAge(aMs: number, bMs: number, a: Pod, b: Pod, nowMs: number): number {
  if (aMs === bMs) return 0;
  if (aMs === 0 || bMs === 0) return aMs === 0 ? -1 : 1;
  const difference = magnitude(nowMs - aMs) - magnitude(nowMs - bMs);
  if (difference !== 0) return difference;
  return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1;
}

function magnitude(ageMs: number): number {
  return ageMs <= 0 ? -1 : Math.floor(Math.log2(ageMs * 1e6));
}

/** The highest restart count: of restartable init containers, or of regular ones. */
function restartsOf(pod: Pod, kind: 'sidecar' | 'regular'): number {
  if (kind === 'regular') {
    return Math.max(
      0,
      ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount),
    );
  }
  const sidecars = new Set(
    (pod.spec?.initContainers ?? [])
      .filter((container) => container.restartPolicy === 'Always')
      .map((container) => container.name),
  );
  if (sidecars.size === 0) return 0;
  const statuses = pod.status?.initContainerStatuses ?? [];
  return Math.max(
    0,
    ...statuses.filter(({ name }) => sidecars.has(name)).map((status) => status.restartCount),
  );
}
