import type { PodInfo } from '../../framework/node-info.ts';

export function priorityOf({ pod }: PodInfo): number {
  return pod.spec?.priority ?? 0;
}

/** When the pod was started; pods that have not started count from now, as upstream. */
export function startTimeOf({ pod }: PodInfo): string {
  return pod.status?.startTime ?? '~';
}

/** Negative when `a` matters more: higher priority, then longer running. */
export function compareImportance(a: PodInfo, b: PodInfo): number {
  const byPriority = priorityOf(b) - priorityOf(a);
  if (byPriority !== 0) return byPriority;
  const [left, right] = [startTimeOf(a), startTimeOf(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
