import type { Job, JobStatus, Pod } from '#schema/types.ts';
import { isDeleting, isPodActive, isPodReady, isPodTerminating } from '../pods/pod-state.ts';
import { judgeFailure } from './failure-policy.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import {
  hasTracking,
  indexFailureKey,
  indexLimit,
  indexOf,
  isIndexed,
  replacesFailedOnly,
} from './job-facts.ts';

/** As upstream: so many ended pods are taken into the status at a time. */
const maxUncounted = 500;

/** What a job's pods add up to, on top of what its status has counted. */
export interface PodTally {
  readonly active: readonly Pod[];
  readonly ready: number;
  readonly terminating: number;
  /** Being deleted while their containers may still run. */
  readonly leaving: readonly Pod[];
  /** The counts that the status will have once every ended pod is counted. */
  readonly succeeded: number;
  readonly failed: number;
  readonly completedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  /** Failures of each index that is not given up. */
  readonly indexFailures: ReadonlyMap<number, number>;
  /** When each of them failed last. */
  readonly indexFailedMs: ReadonlyMap<number, number>;
  /** Ended pods that still carry the finalizer. */
  readonly ended: readonly { pod: Pod; isSuccess: boolean }[];
  readonly newSuccesses: number;
  readonly newFailures: readonly Pod[];
  /** Message of a FailJob rule that a failed pod met. */
  readonly failJob: string | undefined;
}

function isFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  return !replacesFailedOnly(job) && isDeleting(pod) && pod.status?.phase !== 'Succeeded';
}

/** When the last container ended, or else what is known to be nearest to that. */
function endOfPodMs({ metadata, status }: Pod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  const latest = ends
    .filter((time) => time !== undefined)
    .toSorted()
    .at(-1);
  const known = latest ?? ready ?? metadata.deletionTimestamp ?? metadata.creationTimestamp ?? '';
  const atMs = Date.parse(known);
  return Number.isNaN(atMs) ? 0 : atMs;
}

/** Adds up the pods of a job; pure. */
export function tallyPods(job: Job, pods: readonly Pod[]): PodTally {
  const { succeeded = 0, failed = 0, uncountedTerminatedPods = {} } = job.status ?? {};
  const completions = job.spec?.completions ?? 0;
  const uncountedSuccess = new Set(uncountedTerminatedPods.succeeded);
  const uncountedFailed = new Set(uncountedTerminatedPods.failed);
  const completedIndexes = parseIndexes(job.status?.completedIndexes, completions);
  const failedIndexes = parseIndexes(job.status?.failedIndexes, completions);
  const indexFailures = new Map<number, number>();
  const indexFailedMs = new Map<number, number>();
  const ended: { pod: Pod; isSuccess: boolean }[] = [];
  const newFailures: Pod[] = [];
  let newSuccesses = 0;
  let ignored = 0;
  let failJob: string | undefined;

  for (const pod of pods) {
    const isSuccess = pod.status?.phase === 'Succeeded';
    if (!isSuccess && !isFailed(job, pod)) continue;
    const index = isIndexed(job) ? indexOf(pod, job) : undefined;
    const verdict = isSuccess ? undefined : judgeFailure(job, pod);
    if (verdict?.action === 'FailJob') failJob ??= verdict.message;
    if (index !== undefined && !isSuccess) {
      const before = Number(pod.metadata.annotations?.[indexFailureKey] ?? 0);
      const count = before + (verdict?.action === 'Ignore' ? 0 : 1);
      indexFailures.set(index, Math.max(indexFailures.get(index) ?? 0, count));
      const endMs = endOfPodMs(pod);
      indexFailedMs.set(index, Math.max(indexFailedMs.get(index) ?? endMs, endMs));
      const limit = indexLimit(job);
      const isGivenUp = verdict?.action === 'FailIndex' || (limit !== undefined && count > limit);
      if (limit !== undefined && isGivenUp) failedIndexes.add(index);
    }
    if (!hasTracking(pod)) continue;
    ended.push({ pod, isSuccess });
    const uid = pod.metadata.uid ?? '';
    if (uncountedSuccess.has(uid) || uncountedFailed.has(uid)) continue;
    if (isSuccess) {
      newSuccesses += 1;
      if (index !== undefined) completedIndexes.add(index);
    } else if (verdict?.action === 'Ignore') ignored += 1;
    else newFailures.push(pod);
  }
  const active = pods.filter(isPodActive);
  const leaving = pods.filter(isPodTerminating);
  return {
    active,
    leaving,
    ready: active.filter(isPodReady).length,
    terminating: leaving.length,
    succeeded: isIndexed(job)
      ? completedIndexes.size
      : succeeded + uncountedSuccess.size + newSuccesses,
    failed: failed + uncountedFailed.size + newFailures.length,
    completedIndexes,
    failedIndexes,
    indexFailures,
    indexFailedMs,
    ended,
    newSuccesses,
    newFailures,
    failJob,
  };
}

/** The status that takes ended pods in: their uids stay in it until their finalizers are gone. */
export function statusWithUncounted(job: Job, tally: PodTally): JobStatus {
  const { uncountedTerminatedPods = {} } = job.status ?? {};
  const succeeded = [...(uncountedTerminatedPods.succeeded ?? [])];
  const failed = [...(uncountedTerminatedPods.failed ?? [])];
  const known = new Set([...succeeded, ...failed]);
  for (const { pod, isSuccess } of tally.ended) {
    if (succeeded.length + failed.length >= maxUncounted) break;
    const uid = pod.metadata.uid ?? '';
    if (known.has(uid)) continue;
    if (isSuccess) succeeded.push(uid);
    else if (judgeFailure(job, pod)?.action !== 'Ignore') failed.push(uid);
  }
  return {
    ...job.status,
    ...indexTexts(job, tally),
    uncountedTerminatedPods: {
      ...(succeeded.length === 0 ? {} : { succeeded }),
      ...(failed.length === 0 ? {} : { failed }),
    },
  };
}

function indexTexts(job: Job, tally: PodTally): Partial<JobStatus> {
  if (!isIndexed(job)) return {};
  const completed = formatIndexes(tally.completedIndexes);
  const failed = formatIndexes(tally.failedIndexes);
  return {
    completedIndexes: completed === '' ? undefined : completed,
    ...(indexLimit(job) === undefined ? {} : { failedIndexes: failed }),
  };
}

/** The status with the counts moved for uids whose pods no longer carry the finalizer. */
export function statusWithCounted(
  job: Job,
  status: JobStatus,
  isTracked: (uid: string) => boolean,
): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const keptSucceeded = succeeded.filter(isTracked);
  const keptFailed = failed.filter(isTracked);
  const completed = parseIndexes(status.completedIndexes, job.spec?.completions ?? 0).size;
  const successes = isIndexed(job)
    ? completed
    : (status.succeeded ?? 0) + succeeded.length - keptSucceeded.length;
  const failures = (status.failed ?? 0) + failed.length - keptFailed.length;
  return {
    ...status,
    succeeded: successes === 0 ? undefined : successes,
    failed: failures === 0 ? undefined : failures,
    uncountedTerminatedPods: {
      ...(keptSucceeded.length === 0 ? {} : { succeeded: keptSucceeded }),
      ...(keptFailed.length === 0 ? {} : { failed: keptFailed }),
    },
  };
}
