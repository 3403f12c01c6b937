import { formatTime } from '#base/clock.ts';
import type { EventRecorder } from '#client/mod.ts';
import type { Job, JobCondition, JobStatus } from '#schema/types.ts';
import type { Outcome } from './job-outcome.ts';

function withCondition(
  status: JobStatus,
  type: string,
  state: string,
  reason: string,
  message: string,
  nowMs: number,
): JobStatus {
  const { conditions = [] } = status;
  const old = conditions.find((condition) => condition.type === type);
  if (old?.status === state && old.reason === reason) return status;
  const now = formatTime(nowMs);
  const next: JobCondition = {
    type,
    status: state,
    reason,
    message,
    lastProbeTime: now,
    lastTransitionTime: now,
  };
  const others = conditions.filter((condition) => condition.type !== type);
  return { ...status, conditions: [...others, next] };
}

/**
 * Notes how the job ends: first what it is heading for, and the final condition only when no pod of
 * it runs any more.
 */
export function withOutcome(
  status: JobStatus,
  outcome: Outcome,
  isOver: boolean,
  nowMs: number,
): JobStatus {
  const { isSuccess, reason, message } = outcome;
  const target = isSuccess ? 'SuccessCriteriaMet' : 'FailureTarget';
  const next = withCondition(status, target, 'True', reason, message, nowMs);
  if (!isOver) return next;
  const end = isSuccess ? 'Complete' : 'Failed';
  const ended = withCondition(next, end, 'True', reason, message, nowMs);
  return isSuccess ? { ...ended, completionTime: formatTime(nowMs) } : ended;
}

/** Notes whether the job is suspended; a resumed one starts its time anew. */
export function withSuspension(
  job: Job,
  status: JobStatus,
  events: EventRecorder,
  nowMs: number,
): JobStatus {
  const isSuspended = job.spec?.suspend === true;
  const noted = status.conditions?.find(({ type }) => type === 'Suspended');
  if (isSuspended) {
    if (noted?.status !== 'True') events.event(job, 'Normal', 'Suspended', 'Job suspended');
    const text = 'Job suspended';
    const next = withCondition(status, 'Suspended', 'True', 'JobSuspended', text, nowMs);
    return { ...next, startTime: undefined };
  }
  const startTime = status.startTime ?? formatTime(nowMs);
  if (noted?.status !== 'True') return { ...status, startTime };
  events.event(job, 'Normal', 'Resumed', 'Job resumed');
  const text = 'Job resumed';
  const next = withCondition(status, 'Suspended', 'False', 'JobResumed', text, nowMs);
  return { ...next, startTime: formatTime(nowMs) };
}
