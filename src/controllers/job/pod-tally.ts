import type { Job, Pod } from '#schema/types.ts';
import { isDeleting, isPodActive, isPodReady, isPodTerminating } from '../pods/pod-state.ts';
import { judgeFailure } from './failure-policy.ts';
import { givesIndexUp, laterFailure } from './index-failures.ts';
import { parseIndexes } from './indexes.ts';
import { hasTracking, indexLimit, indexOf, isIndexed, replacesFailedOnly } from './job-facts.ts';

/** What a job's pods add up to, on top of what its status has counted. */
export interface PodTally {
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly ready: number;
  /** Being deleted while their containers may still run. */
  readonly leaving: readonly Pod[];
  /** Ended pods that the status has not taken in. */
  readonly newSucceeded: readonly Pod[];
  readonly newFailed: readonly Pod[];
  /** The counts that the status will have once every ended pod is counted. */
  readonly succeeded: number;
  readonly failed: number;
  /** Indexes that the status has as completed. */
  readonly knownIndexes: ReadonlySet<number>;
  readonly completedIndexes: ReadonlySet<number>;
  /** Indexes that are given up; empty without a limit by index. */
  readonly failedIndexes: ReadonlySet<number>;
  /** By index the failed pod that must stay until another one has taken its failures over. */
  readonly replaceable: ReadonlyMap<number, Pod>;
  /** Message of a FailJob rule that a failed pod met. */
  readonly failJob: string | undefined;
  /** Carries the finalizer, also as far as this controller knows better than its informer. */
  isTracked(pod: Pod): boolean;
}

/** Ended in failure; a pod on its way out counts unless only ended pods are replaced. */
export function isPodFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  return !replacesFailedOnly(job) && isDeleting(pod) && pod.status?.phase !== 'Succeeded';
}

/** Adds up the pods of a job; `released` are uids whose finalizer is off already. Pure. */
export function tallyPods(job: Job, pods: readonly Pod[], released: ReadonlySet<string>): PodTally {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods = {} } = job.status ?? {};
  const uncountedSuccess = new Set(uncountedTerminatedPods.succeeded);
  const uncountedFailed = new Set(uncountedTerminatedPods.failed);
  const isTracked = (pod: Pod): boolean =>
    hasTracking(pod) && !released.has(pod.metadata.uid ?? '');
  const isNew = (pod: Pod, uncounted: ReadonlySet<string>): boolean =>
    isTracked(pod) &&
    !uncounted.has(pod.metadata.uid ?? '') &&
    (!isIndexed(job) || indexOf(pod, job) !== undefined);
  const failures = pods.filter((pod) => isPodFailed(job, pod));
  const newSucceeded = pods.filter(
    (pod) => pod.status?.phase === 'Succeeded' && isNew(pod, uncountedSuccess),
  );
  const newFailed = failures.filter((pod) => isNew(pod, uncountedFailed));
  const verdicts = failures.map((pod) => judgeFailure(job, pod));
  const active = pods.filter(isPodActive);
  const indexes = tallyIndexes(job, pods, failures, isTracked);
  const counted = newFailed.filter((pod) => judgeFailure(job, pod)?.action !== 'Ignore');
  return {
    pods,
    active,
    ready: active.filter(isPodReady).length,
    leaving: pods.filter(isPodTerminating),
    newSucceeded,
    newFailed,
    succeeded: isIndexed(job)
      ? indexes.completedIndexes.size
      : succeeded + uncountedSuccess.size + newSucceeded.length,
    failed: failed + uncountedFailed.size + counted.length,
    ...indexes,
    failJob: verdicts.find((verdict) => verdict?.action === 'FailJob')?.message,
    isTracked,
  };
}

function tallyIndexes(
  job: Job,
  pods: readonly Pod[],
  failures: readonly Pod[],
  isTracked: (pod: Pod) => boolean,
): Pick<PodTally, 'knownIndexes' | 'completedIndexes' | 'failedIndexes' | 'replaceable'> {
  const completions = isIndexed(job) ? (job.spec?.completions ?? 0) : 0;
  const knownIndexes = parseIndexes(job.status?.completedIndexes, completions);
  const completedIndexes = new Set(knownIndexes);
  const failedIndexes = new Set<number>();
  const replaceable = new Map<number, Pod>();
  const tally = { knownIndexes, completedIndexes, failedIndexes, replaceable };
  if (completions === 0) return tally;
  for (const pod of pods) {
    const index = indexOf(pod, job);
    if (index === undefined || pod.status?.phase !== 'Succeeded' || !hasTracking(pod)) continue;
    completedIndexes.add(index);
  }
  const limit = indexLimit(job);
  if (limit === undefined) return tally;
  for (const index of parseIndexes(job.status?.failedIndexes, completions)) {
    failedIndexes.add(index);
  }
  for (const pod of failures) {
    const index = indexOf(pod, job);
    if (index === undefined || !hasTracking(pod)) continue;
    if (givesIndexUp(job, pod, limit)) failedIndexes.add(index);
  }
  const busy = new Set(pods.filter(isPodActive).map((pod) => indexOf(pod, job)));
  for (const pod of failures) {
    const index = indexOf(pod, job);
    if (index === undefined || !isTracked(pod) || busy.has(index)) continue;
    if (completedIndexes.has(index) || failedIndexes.has(index)) continue;
    replaceable.set(index, laterFailure(replaceable.get(index), pod));
  }
  return tally;
}
