import type { Pod, StatefulSet } from '#schema/types.ts';
import { scaledValue } from '../int-or-percent.ts';
import { isDeleting, isPodAvailable, isPodReady } from '../pods/pod-state.ts';

export const revisionLabel = 'controller-revision-hash';
export const podNameLabel = 'statefulset.kubernetes.io/pod-name';
export const podIndexLabel = 'apps.kubernetes.io/pod-index';

export function replicasOf(set: StatefulSet): number {
  return set.spec?.replicas ?? 1;
}

export function startOrdinal(set: StatefulSet): number {
  return set.spec?.ordinals?.start ?? 0;
}

export function isParallel(set: StatefulSet): boolean {
  return set.spec?.podManagementPolicy === 'Parallel';
}

/** The ordinals below this, counted from the first, keep the current revision. */
export function partitionOf(set: StatefulSet): number {
  return set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
}

/** How many pods may be missing during an update; at least one. */
export function maxUnavailableOf(set: StatefulSet): number {
  const value = set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  return Math.max(scaledValue(value, replicasOf(set), false), 1);
}

/** The parts of a name `<parent>-<ordinal>`; undefined for a name of another form. */
export function splitPodName(name: string): { parent: string; ordinal: number } | undefined {
  const match = /^(.*)-(\d+)$/s.exec(name);
  const ordinal = Number(match?.[2]);
  // As upstream, whose ordinals have 32 bits.
  if (match?.[1] === undefined || ordinal > 2 ** 31 - 1) return undefined;
  return { parent: match[1], ordinal };
}

export function ordinalOf(pod: Pod): number {
  return splitPodName(pod.metadata.name)?.ordinal ?? -1;
}

export function isMemberOf(pod: Pod, set: StatefulSet): boolean {
  return splitPodName(pod.metadata.name)?.parent === set.metadata.name;
}

export function isInRange(pod: Pod, set: StatefulSet): boolean {
  const index = ordinalOf(pod) - startOrdinal(set);
  return index >= 0 && index < replicasOf(set);
}

export function revisionOf(pod: Pod): string {
  return pod.metadata.labels?.[revisionLabel] ?? '';
}

/** Known to the API server, in contrast to one that is only planned. */
export function isCreated(pod: Pod): boolean {
  return (pod.status?.phase ?? '') !== '';
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod);
}

export function isRunningAndAvailable(pod: Pod, set: StatefulSet, nowMs: number): boolean {
  return (
    pod.status?.phase === 'Running' && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
  );
}

export function isUnavailable(pod: Pod, set: StatefulSet, nowMs: number): boolean {
  return !isRunningAndAvailable(pod, set, nowMs) || isDeleting(pod);
}
