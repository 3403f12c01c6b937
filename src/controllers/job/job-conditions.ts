import { formatTime } from '#base/clock.ts';
import type { EventRecorder } from '#client/mod.ts';
import type { Job, JobCondition, JobStatus } from '#schema/types.ts';
import type { Outcome } from './job-outcome.ts';

function withCondition(
  status: JobStatus,
  type: string,
  state: 'True' | 'False',
  reason: string,
  message: string,
  nowMs: number,
): JobStatus {
  const { conditions = [] } = status;
  const old = conditions.find((condition) => condition.type === type);
  if (old?.status === state && old.reason === reason && old.message === message) return status;
  const now = formatTime(nowMs);
  const next: JobCondition = {
    type,
    status: state,
    reason,
    message,
    lastProbeTime: now,
    lastTransitionTime: now,
  };
  if (old === undefined) return { ...status, conditions: [...conditions, next] };
  const replaced = conditions.map((condition) => (condition === old ? next : condition));
  return { ...status, conditions: replaced };
}

/** Notes how the job is going to end, before anything of that is done. */
export function withTarget(status: JobStatus, outcome: Outcome, nowMs: number): JobStatus {
  const { isSuccess, reason, message } = outcome;
  const type = isSuccess ? 'SuccessCriteriaMet' : 'FailureTarget';
  if (status.conditions?.some((known) => known.type === type && known.status === 'True')) {
    return status;
  }
  return withCondition(status, type, 'True', reason, message, nowMs);
}

/** Notes the end itself; only when no pod of the job runs and all of them are counted. */
export function withEnd(status: JobStatus, outcome: Outcome, nowMs: number): JobStatus {
  const { isSuccess, reason, message } = outcome;
  const type = isSuccess ? 'Complete' : 'Failed';
  const ended = withCondition(status, type, 'True', reason, message, nowMs);
  return isSuccess ? { ...ended, completionTime: formatTime(nowMs) } : ended;
}

/** Notes whether the job is suspended; one that is resumed starts its time anew. */
export function withSuspension(
  job: Job,
  status: JobStatus,
  events: EventRecorder,
  nowMs: number,
): JobStatus {
  const noted = status.conditions?.find(({ type }) => type === 'Suspended');
  if (job.spec?.suspend === true) {
    const text = 'Job suspended';
    const next = withCondition(status, 'Suspended', 'True', 'JobSuspended', text, nowMs);
    if (next === status) return status;
    events.event(job, 'Normal', 'Suspended', text);
    return { ...next, startTime: undefined };
  }
  if (noted === undefined) return status;
  const text = 'Job resumed';
  const next = withCondition(status, 'Suspended', 'False', 'JobResumed', text, nowMs);
  if (next === status) return status;
  events.event(job, 'Normal', 'Resumed', text);
  return { ...next, startTime: formatTime(nowMs) };
}
