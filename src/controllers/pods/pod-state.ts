import type { Pod, PodCondition } from '#schema/types.ts';

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Ready for at least `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return false;
  if (minReadySeconds === 0) return true;
  const { lastTransitionTime } = ready;
  if (lastTransitionTime === undefined) return false;
  return Date.parse(lastTransitionTime) + minReadySeconds * 1000 <= nowMs;
}

/** Time until the next of the ready pods is available; undefined when there is none to wait for. */
export function nextAvailableMs(
  pods: readonly Pod[],
  minReadySeconds: number,
  nowMs: number,
): number | undefined {
  let nextMs: number | undefined;
  for (const pod of pods) {
    const { status, lastTransitionTime } = podCondition(pod, 'Ready') ?? {};
    if (status !== 'True' || lastTransitionTime === undefined) continue;
    const leftMs = Date.parse(lastTransitionTime) + minReadySeconds * 1000 - nowMs;
    if (leftMs > 0) nextMs = Math.min(nextMs ?? leftMs, leftMs);
  }
  return nextMs;
}

/** All containers have ended for good. */
export function isPodFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isDeleting(object: { metadata: Pod['metadata'] }): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** Counts for its controller: neither finished nor being deleted. */
export function isPodActive(pod: Pod): boolean {
  return !isPodFinished(pod) && !isDeleting(pod);
}

/** Being deleted while its containers may still run. */
export function isPodTerminating(pod: Pod): boolean {
  return !isPodFinished(pod) && isDeleting(pod);
}
