import type { Job, Pod } from '#schema/types.ts';
import { judgeFailure } from './failure-policy.ts';
import { finishedMs } from './finished-time.ts';
import { backOffLeftMs } from './job-back-off.ts';

export const failureCountKey = 'batch.kubernetes.io/job-index-failure-count';
export const ignoredCountKey = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** A number that others may have spoiled counts as 0. */
function countAt(pod: Pod, key: string): number {
  const text = pod.metadata.annotations?.[key] ?? '';
  const value = /^\+?\d+$/.test(text) ? Number(text) : 0;
  return value > 2 ** 31 - 1 ? 0 : value;
}

/** Failures of the index before this pod that count against its limit. */
export function formerFailures(pod: Pod): number {
  return countAt(pod, failureCountKey);
}

/** All failures of the index before this pod. */
function allFormerFailures(pod: Pod): number {
  return countAt(pod, failureCountKey) + countAt(pod, ignoredCountKey);
}

/** Whether a failed pod gives its index up. */
export function givesIndexUp(job: Job, pod: Pod, limit: number): boolean {
  const verdict = judgeFailure(job, pod);
  if (verdict?.action === 'FailIndex') return true;
  return verdict?.action !== 'Ignore' && formerFailures(pod) >= limit;
}

/** The one of two failed pods of an index that its replacement goes on from. */
export function laterFailure(known: Pod | undefined, pod: Pod): Pod {
  if (known === undefined) return pod;
  const isLater =
    allFormerFailures(known) <= allFormerFailures(pod) && finishedMs(pod) >= finishedMs(known);
  return isLater ? pod : known;
}

/** Annotations that carry an index's failures on to the pod that replaces a failed one. */
export function failureAnnotations(job: Job, failed: Pod | undefined): Record<string, string> {
  if (failed === undefined) return { [failureCountKey]: '0' };
  const isIgnored = judgeFailure(job, failed)?.action === 'Ignore';
  const ignored = countAt(failed, ignoredCountKey) + (isIgnored ? 1 : 0);
  return {
    [failureCountKey]: String(formerFailures(failed) + (isIgnored ? 0 : 1)),
    ...(ignored > 0 ? { [ignoredCountKey]: String(ignored) } : {}),
  };
}

/** The time until the index may be tried again after this failure. */
export function indexWaitMs(failed: Pod | undefined, nowMs: number): number {
  if (failed === undefined) return 0;
  const record = { failures: allFormerFailures(failed) + 1, lastMs: finishedMs(failed) };
  return backOffLeftMs(record, nowMs);
}
