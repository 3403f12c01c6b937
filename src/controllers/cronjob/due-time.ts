import type { CronJob } from '#schema/types.ts';
import type { Schedule } from './schedule.ts';

/** More missed times than this are told, because a clock may be wrong. */
const manyMissed = 100;
/** After the time itself, so that it has surely come when the key does. */
const deltaMs = 100;

export interface DueTime {
  /** The latest time that has come since the last run; undefined for none. */
  readonly atMs: number | undefined;
  readonly sinceMs: number;
  readonly missed: 'none' | 'few' | 'many';
}

/** Which time of the schedule is due; pure. */
export function dueTime(
  cronJob: CronJob,
  schedule: Schedule,
  nowMs: number,
  withDeadline: boolean,
): DueTime {
  const { lastScheduleTime } = cronJob.status ?? {};
  const { startingDeadlineSeconds } = cronJob.spec ?? {};
  let sinceMs = Date.parse(lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? '');
  if (Number.isNaN(sinceMs)) sinceMs = nowMs;
  if (withDeadline && startingDeadlineSeconds !== undefined) {
    // Nothing before this would be started any more.
    sinceMs = Math.max(sinceMs, nowMs - startingDeadlineSeconds * 1000);
  }
  const first = schedule.next(sinceMs);
  if (first === undefined || first > nowMs) return { atMs: undefined, sinceMs, missed: 'none' };
  const second = schedule.next(first);
  if (second === undefined || second > nowMs) return { atMs: first, sinceMs, missed: 'none' };
  const stepMs = second - first;
  const count = Math.floor((nowMs - first) / stepMs) + 1;
  const missed = count > manyMissed ? 'many' : 'few';
  if (schedule.stepMs !== undefined) {
    return { atMs: first + (count - 1) * stepMs, sinceMs, missed };
  }
  // The distance of the first two times leads near the last one, without walking all between.
  const near = first + (count - 2) * stepMs;
  const atMs =
    lastBefore(schedule, near - 1, nowMs) ?? lastBefore(schedule, first, nowMs) ?? second;
  return { atMs, sinceMs, missed };
}

function lastBefore(schedule: Schedule, afterMs: number, nowMs: number): number | undefined {
  let last: number | undefined;
  for (let at = schedule.next(afterMs); at !== undefined && at <= nowMs; at = schedule.next(at)) {
    last = at;
  }
  return last;
}

/** How long to wait for the next time; undefined when there is none. */
export function waitForNext(
  cronJob: CronJob,
  schedule: Schedule,
  nowMs: number,
): number | undefined {
  const { atMs, sinceMs, missed } = dueTime(cronJob, schedule, nowMs, false);
  const from = atMs ?? (missed === 'none' ? sinceMs : nowMs);
  const next = schedule.next(from);
  return next === undefined ? undefined : Math.max(next + deltaMs - nowMs, 0);
}
