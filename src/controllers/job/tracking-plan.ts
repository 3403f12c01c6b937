import type { Job, JobStatus, Pod } from '#schema/types.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { count } from '../status-numbers.ts';
import { judgeFailure } from './failure-policy.ts';
import { formatIndexes } from './indexes.ts';
import { indexLimit, indexOf, isIndexed } from './job-facts.ts';
import { isPodFailed } from './pod-tally.ts';
import type { PodTally } from './pod-tally.ts';

/** As upstream: so many ended pods are taken into the status at a time. */
const maxUncounted = 500;

/** What is written before finalizers go, and which pods may go then. */
export interface TrackingPlan {
  readonly status: JobStatus;
  readonly release: readonly Pod[];
  /** More pods are waiting than the status has room for: the job cannot be finished yet. */
  readonly isFull: boolean;
  /** Of each newly failed pod that a rule of the failure policy met. */
  readonly policyActions: readonly string[];
}

/**
 * Takes ended pods into the status. Uids stay there until the finalizers are gone, so that each pod
 * is counted once whatever fails in between; an index that succeeded needs no uid. A job that ends
 * lets all its pods go, and one that fails counts those that still ran as failed. Pure.
 */
export function planTracking(
  job: Job,
  tally: PodTally,
  status: JobStatus,
  end: 'success' | 'failure' | undefined,
): TrackingPlan {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const successes = new Set(succeeded);
  const failures = new Set(failed);
  const indexes = new Set(tally.completedIndexes);
  const release: Pod[] = [];
  const policyActions: string[] = [];
  let newIndexes = 0;
  let isFull = false;
  for (const pod of inIndexOrder(job, tally.pods)) {
    const isFailure = isPodFailed(job, pod);
    if (!tally.isTracked(pod) || !mayRelease(job, tally, pod, isFailure, end)) continue;
    release.push(pod);
    const uid = pod.metadata.uid ?? '';
    const index = indexOf(pod, job);
    if (pod.status?.phase === 'Succeeded' && !failures.has(uid)) {
      if (!isIndexed(job)) successes.add(uid);
      else if (index !== undefined && !tally.knownIndexes.has(index)) {
        indexes.add(index);
        newIndexes += 1;
      }
    } else if (isFailure || end === 'failure') {
      const isValid = !isIndexed(job) || index !== undefined;
      const isKnown = failures.has(uid) || !isValid;
      const action = isKnown ? undefined : judgeFailure(job, pod)?.action;
      if (action !== undefined) policyActions.push(action);
      if (!isKnown && action !== 'Ignore') failures.add(uid);
    }
    if (newIndexes + successes.size + failures.size < maxUncounted) continue;
    isFull = true;
    break;
  }
  const uncounted = uncountedOf([...successes], [...failures]);
  const next: JobStatus = { ...status, uncountedTerminatedPods: uncounted };
  if (!isIndexed(job)) return { status: next, release, isFull, policyActions };
  const completed = formatIndexes(indexes);
  return {
    status: {
      ...next,
      succeeded: count(indexes.size),
      completedIndexes: completed === '' ? undefined : completed,
      failedIndexes: indexLimit(job) === undefined ? undefined : formatIndexes(tally.failedIndexes),
    },
    release,
    isFull,
    policyActions,
  };
}

function mayRelease(
  job: Job,
  tally: PodTally,
  pod: Pod,
  isFailure: boolean,
  end: 'success' | 'failure' | undefined,
): boolean {
  if (isDeleting(job) || end !== undefined || pod.status?.phase === 'Succeeded') return true;
  if (!isFailure) return false;
  const index = indexOf(pod, job);
  const held = index === undefined ? undefined : tally.replaceable.get(index);
  return held?.metadata.uid !== pod.metadata.uid;
}

function inIndexOrder(job: Job, pods: readonly Pod[]): readonly Pod[] {
  if (!isIndexed(job)) return pods;
  return pods.toSorted((a, b) => (indexOf(a, job) ?? -1) - (indexOf(b, job) ?? -1));
}

function uncountedOf(
  succeeded: readonly string[],
  failed: readonly string[],
): NonNullable<JobStatus['uncountedTerminatedPods']> {
  return {
    ...(succeeded.length === 0 ? {} : { succeeded: [...succeeded] }),
    ...(failed.length === 0 ? {} : { failed: [...failed] }),
  };
}

/** The status with the counts moved for uids whose pods no longer carry the finalizer. */
export function withCounted(status: JobStatus, isTracked: (uid: string) => boolean): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const keptSucceeded = succeeded.filter(isTracked);
  const keptFailed = failed.filter(isTracked);
  return {
    ...status,
    succeeded: count((status.succeeded ?? 0) + succeeded.length - keptSucceeded.length),
    failed: count((status.failed ?? 0) + failed.length - keptFailed.length),
    uncountedTerminatedPods: uncountedOf(keptSucceeded, keptFailed),
  };
}
