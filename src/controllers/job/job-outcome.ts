import type { Job, Pod } from '#schema/types.ts';
import { parseIndexes } from './indexes.ts';
import { conditionOf, indexLimit, isIndexed } from './job-facts.ts';
import type { PodTally } from './pod-tally.ts';

/** How a job ends: the condition it will get once its pods are gone. */
export interface Outcome {
  readonly isSuccess: boolean;
  readonly reason: string;
  readonly message: string;
}

/** The end that pods which still run are deleted for, or undefined while they may go on; pure. */
export function outcomeOf(job: Job, tally: PodTally, nowMs: number): Outcome | undefined {
  const succeeding = conditionOf(job, 'SuccessCriteriaMet');
  if (succeeding !== undefined) return noted(true, succeeding);
  const failing = conditionOf(job, 'FailureTarget');
  if (failing !== undefined) return noted(false, failing);
  return failureOf(job, tally, nowMs) ?? policySuccessOf(job, tally);
}

function noted(
  isSuccess: boolean,
  from: { reason?: string | undefined; message?: string | undefined },
): Outcome {
  return { isSuccess, reason: from.reason ?? '', message: from.message ?? '' };
}

function failureOf(job: Job, tally: PodTally, nowMs: number): Outcome | undefined {
  const fail = (reason: string, message: string): Outcome => ({
    isSuccess: false,
    reason,
    message,
  });
  if (tally.failJob !== undefined) return fail('PodFailurePolicy', tally.failJob);
  const limit = job.spec?.backoffLimit ?? 6;
  if (tally.failed > limit || restartsExceed(job, tally.pods, limit)) {
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  const leftMs = deadlineLeftMs(job, nowMs);
  if (leftMs !== undefined && leftMs <= 0) {
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  if (indexLimit(job) === undefined) return undefined;
  const { maxFailedIndexes, completions = 0 } = job.spec ?? {};
  if (maxFailedIndexes !== undefined && tally.failedIndexes.size > maxFailedIndexes) {
    const text = 'Job has exceeded the specified maximal number of failed indexes';
    return fail('MaxFailedIndexesExceeded', text);
  }
  const isDone = tally.failedIndexes.size + tally.completedIndexes.size >= completions;
  if (tally.failedIndexes.size === 0 || !isDone) return undefined;
  return fail('FailedIndexes', 'Job has failed indexes');
}

function policySuccessOf(job: Job, tally: PodTally): Outcome | undefined {
  const rule = metSuccessRule(job, tally);
  if (rule === undefined) return undefined;
  return { isSuccess: true, reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` };
}

/** The end of a job whose work is done; `active` is how many pods are left to run. */
export function completionOf(job: Job, succeeded: number, active: number): Outcome | undefined {
  const isDone = succeeded >= (job.spec?.completions ?? 1);
  if (!isDone || active > 0) return undefined;
  const message = 'Reached expected number of succeeded pods';
  return { isSuccess: true, reason: 'CompletionsReached', message };
}

/** The number of the first rule of the success policy that is met. */
function metSuccessRule(job: Job, tally: PodTally): number | undefined {
  if (!isIndexed(job) || tally.completedIndexes.size === 0) return undefined;
  const { completions = 0, successPolicy } = job.spec ?? {};
  const index = (successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    const wanted =
      succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes, completions);
    if (wanted?.size === 0) return false;
    const met = [...tally.completedIndexes].filter((done) => wanted?.has(done) !== false).length;
    return met === wanted?.size || met >= (succeededCount ?? Number.POSITIVE_INFINITY);
  });
  return index < 0 ? undefined : index;
}

/** With restartPolicy OnFailure, restarts of containers count against the limit as well. */
function restartsExceed(job: Job, pods: readonly Pod[], limit: number): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    for (const container of status.initContainerStatuses ?? []) restarts += container.restartCount;
    for (const container of status.containerStatuses ?? []) restarts += container.restartCount;
  }
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Time until activeDeadlineSeconds are over; undefined without a deadline or while suspended. */
export function deadlineLeftMs(job: Job, nowMs: number): number | undefined {
  const { activeDeadlineSeconds, suspend } = job.spec ?? {};
  const { startTime } = job.status ?? {};
  if (activeDeadlineSeconds === undefined || startTime === undefined) return undefined;
  if (suspend === true) return undefined;
  return Date.parse(startTime) + activeDeadlineSeconds * 1000 - nowMs;
}
