import { messageOf } from '#base/errors.ts';
import type { Job, JobSpec, JobStatus } from '../../generated/types.ts';
import { noValue } from '../bad-value.ts';
import { checkImmutable } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { statusPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';
import type { IndexList } from './indexes.ts';
import { parseIndexes, sharedIndex } from './indexes.ts';
import { checkCounts } from './replica-counts.ts';

type Status = Unchecked<JobStatus>;
type Spec = Unchecked<JobSpec>;

const counters = ['active', 'succeeded', 'failed', 'ready', 'terminating'];

function has(status: Status, type: string): boolean {
  const { conditions = [] } = status;
  return conditions.some((condition) => condition.type === type && condition.status === 'True');
}

/** The job's own controller obeys these too: they keep a finished job finished. */
export function checkJobStatus(
  errors: ErrorList,
  { spec = {}, status = {} }: Unchecked<Job>,
  { status: old = {} }: Unchecked<Job>,
): void {
  checkCounts(errors, status, counters);
  checkUncounted(errors, status);
  checkEnds(errors, status);
  checkFinished(errors, status);
  checkIndexLists(errors, spec, status);
  checkReady(errors, status);
  checkSuccess(errors, spec, status);
  checkTransitions(errors, spec, status, old);
}

function refuse(errors: ErrorList, detail: string): void {
  errors.invalid(statusPath, 'conditions', noValue, detail);
}

function checkUncounted(errors: ErrorList, { uncountedTerminatedPods: pods }: Status): void {
  const seen = new Set<string>();
  for (const field of ['succeeded', 'failed'] as const) {
    const path = statusPath.child('uncountedTerminatedPods').child(field);
    (pods?.[field] ?? []).forEach((uid, index) => {
      if (uid === '') errors.invalid(path, index, uid, 'must not be empty');
      else if (seen.has(uid)) errors.duplicate(path, index, uid);
      seen.add(uid);
    });
  }
}

function checkEnds(errors: ErrorList, status: Status): void {
  const isComplete = has(status, 'Complete');
  const isFailed = has(status, 'Failed');
  if (isComplete && isFailed) refuse(errors, 'cannot set Complete=True and Failed=true conditions');
  if (isComplete && has(status, 'FailureTarget')) {
    refuse(errors, 'cannot set Complete=True and FailureTarget=true conditions');
  }
  const { completionTime, startTime } = status;
  if (completionTime !== undefined && !isComplete) {
    const detail = 'cannot set completionTime when there is no Complete=True condition';
    errors.invalid(statusPath, 'completionTime', completionTime, detail);
  }
  if (isComplete && completionTime === undefined) {
    errors.required(statusPath, 'completionTime', 'completionTime is required for Complete jobs');
  }
  if (completionTime !== undefined && startTime !== undefined && completionTime < startTime) {
    const detail = 'must be equal to or after `startTime`';
    errors.invalid(statusPath, 'completionTime', completionTime, detail);
  }
  if (isFailed && !has(status, 'FailureTarget')) {
    refuse(errors, 'cannot set Failed=True condition without the FailureTarget=true condition');
  }
  if (isComplete && !has(status, 'SuccessCriteriaMet')) {
    refuse(
      errors,
      'cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
    );
  }
}

function isFinished(status: Status): boolean {
  return has(status, 'Complete') || has(status, 'Failed');
}

function checkFinished(errors: ErrorList, status: Status): void {
  if (!isFinished(status)) return;
  const { active = 0, startTime, uncountedTerminatedPods: pods } = status;
  if (active > 0) {
    errors.invalid(statusPath, 'active', active, 'active>0 is invalid for finished job');
  }
  if (startTime === undefined) {
    errors.required(statusPath, 'startTime', 'startTime is required for finished job');
  }
  if (!isEmpty(pods?.succeeded) || !isEmpty(pods?.failed)) {
    const detail = 'must be empty for finished job';
    errors.invalid(statusPath, 'uncountedTerminatedPods', pods, detail);
  }
}

function readIndexes(
  errors: ErrorList,
  field: 'completedIndexes' | 'failedIndexes',
  text: string,
  completions: number,
): IndexList | undefined {
  try {
    return parseIndexes(text, completions);
  } catch (error) {
    const detail = `error parsing ${field}: ${messageOf(error)}`;
    errors.invalid(statusPath, field, text, detail);
    return undefined;
  }
}

function checkIndexLists(errors: ErrorList, spec: Spec, status: Status): void {
  const { completedIndexes = '', failedIndexes } = status;
  const completions = spec.completions ?? 0;
  const isIndexed = spec.completionMode === 'Indexed';
  const completed = isIndexed
    ? readIndexes(errors, 'completedIndexes', completedIndexes, completions)
    : undefined;
  const failed =
    isIndexed && failedIndexes !== undefined
      ? readIndexes(errors, 'failedIndexes', failedIndexes, completions)
      : undefined;
  if (!isIndexed && completedIndexes !== '') {
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.invalid(statusPath, 'completedIndexes', completedIndexes, detail);
  }
  if (failedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.invalid(statusPath, 'failedIndexes', failedIndexes, detail);
  }
  if (completed === undefined || failed === undefined) return;
  const shared = sharedIndex(completed, failed);
  if (shared === undefined) return;
  const detail = `failedIndexes and completedIndexes overlap at index: ${shared}`;
  errors.invalid(statusPath, 'failedIndexes', failedIndexes, detail);
}

function checkReady(errors: ErrorList, status: Status): void {
  const { terminating = 0, ready = 0, active = 0 } = status;
  if (isFinished(status) && terminating > 0) {
    const detail = 'terminating>0 is invalid for finished job';
    errors.invalid(statusPath, 'terminating', terminating, detail);
  }
  if (ready > active) {
    errors.invalid(statusPath, 'ready', ready, 'cannot set more ready pods than active');
  }
}

function checkSuccess(errors: ErrorList, spec: Spec, status: Status): void {
  if (has(status, 'SuccessCriteriaMet')) {
    for (const other of ['Failed', 'FailureTarget']) {
      if (!has(status, other)) continue;
      refuse(errors, `cannot set SuccessCriteriaMet=True and ${other}=true conditions`);
    }
  } else if (spec.successPolicy !== undefined && has(status, 'Complete')) {
    const detail =
      'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True';
    refuse(errors, detail);
  }
}

function checkTransitions(errors: ErrorList, spec: Spec, status: Status, old: Status): void {
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (!has(old, type) || has(status, type)) continue;
    refuse(errors, `cannot disable the terminal ${type}=True condition`);
  }
  for (const field of ['failed', 'succeeded'] as const) {
    const count = status[field] ?? 0;
    if (count >= (old[field] ?? 0)) continue;
    errors.invalid(statusPath, field, count, `cannot decrease the ${field} counter`);
  }
  if (old.completionTime !== undefined) {
    const { completionTime } = old;
    checkImmutable(errors, statusPath, 'completionTime', status.completionTime, completionTime);
  }
  const isMoved = old.startTime !== undefined && status.startTime !== old.startTime;
  if (isMoved && spec.suspend !== true) {
    const detail = 'field is immutable for unsuspended job once set';
    errors.invalid(statusPath, 'startTime', status.startTime ?? null, detail);
  }
  const isMet = has(status, 'SuccessCriteriaMet');
  if (has(old, 'SuccessCriteriaMet') && !isMet) {
    refuse(errors, 'cannot disable the SuccessCriteriaMet=True condition');
  }
  if (isMet && !has(old, 'SuccessCriteriaMet') && has(old, 'Complete')) {
    refuse(
      errors,
      'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
    );
  }
}
