import type { Pod } from '#schema/types.ts';
import { podCondition } from '../pods/pod-state.ts';

/**
 * When a pod ended, by what is known best: its last container (all of them must have ended), the
 * moment it stopped being ready, when its deletion was asked for, or else when it was made.
 */
export function finishedMs(pod: Pod): number {
  const { metadata } = pod;
  const ends = (pod.status?.containerStatuses ?? []).map(({ state }) =>
    timeOf(state?.terminated?.finishedAt),
  );
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...ends);
  const ready = podCondition(pod, 'Ready');
  const unreadyMs = ready?.status === 'False' ? timeOf(ready.lastTransitionTime) : undefined;
  if (unreadyMs !== undefined) return unreadyMs;
  const deadlineMs = timeOf(metadata.deletionTimestamp);
  if (deadlineMs !== undefined) {
    return deadlineMs - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  }
  return timeOf(metadata.creationTimestamp) ?? 0;
}

function timeOf(text: string | undefined): number | undefined {
  const atMs = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}
