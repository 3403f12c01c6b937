import { hasReason } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { isControlledBy, resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { CronJob, CronJobStatus, Job } from '#schema/types.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { endOf, excessOf, jobName, jobOf, referenceTo } from './cron-job-facts.ts';
import { dueTime, waitForNext } from './due-time.ts';
import { parseSchedule } from './schedule.ts';
import type { Schedule } from './schedule.ts';
import { createOffsetAt } from './time-zone.ts';

export interface CronSync {
  readonly client: Client;
  readonly events: EventRecorder;
  /** Told how late a job was made. */
  readonly noteSkew: (seconds: number) => void;
  readonly nowMs: number;
  readonly cronJob: CronJob;
  readonly jobs: readonly Job[];
  /** What the status becomes; written by the caller, also after an error. */
  status: CronJobStatus;
}

/** Takes ended and lost jobs out of the active list, and notes the last success. */
export async function settleJobs(sync: CronSync): Promise<void> {
  const { client, events, cronJob, jobs } = sync;
  for (const job of jobs) {
    const { name, uid } = job.metadata;
    const isActive = (sync.status.active ?? []).some((reference) => reference.uid === uid);
    const end = endOf(job);
    if (end === undefined) {
      if (isActive || (await isActiveLive(sync, uid))) continue;
      const text = `Saw a job that the controller did not create or forgot: ${name}`;
      events.event(cronJob, 'Warning', 'UnexpectedJob', text);
      continue;
    }
    if (isActive) {
      forget(sync, uid);
      const text = `Saw completed job: ${name}, condition: ${end}`;
      events.event(cronJob, 'Normal', 'SawCompletedJob', text);
    }
    const { completionTime } = job.status ?? {};
    const last = sync.status.lastSuccessfulTime ?? '';
    if (end === 'Complete' && completionTime !== undefined && completionTime > last) {
      sync.status = { ...sync.status, lastSuccessfulTime: completionTime };
    }
  }
  for (const { uid, name = '', namespace } of sync.status.active ?? []) {
    if (jobs.some(({ metadata }) => metadata.uid === uid)) continue;
    try {
      await client.get<Job>(resources.jobs, name, { namespace });
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
      events.event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`);
      forget(sync, uid);
    }
  }
}

/** By the server's word: the informer may be behind our own write. */
async function isActiveLive(sync: CronSync, uid: string | undefined): Promise<boolean> {
  const { client, cronJob } = sync;
  const { name, namespace } = cronJob.metadata;
  const live = await client.get<CronJob>(resources.cronJobs, name, { namespace });
  return live.status?.active?.some((reference) => reference.uid === uid) === true;
}

function forget(sync: CronSync, uid: string | undefined): void {
  const active = (sync.status.active ?? []).filter((reference) => reference.uid !== uid);
  sync.status = { ...sync.status, active: active.length === 0 ? undefined : active };
}

/** Starts the job that is due; answers how long to wait for the next time. */
export async function startDueJob(sync: CronSync): Promise<number | undefined> {
  const { events, nowMs, cronJob } = sync;
  if (isDeleting(cronJob)) return undefined;
  const schedule = scheduleOf(sync);
  if (schedule === undefined) return undefined;
  if (schedule.next(nowMs) === undefined) {
    // Nothing like the 31st of February will ever come.
    const text = `invalid schedule: ${cronJob.spec.schedule} : time difference between two schedules is less than 1 second`;
    events.event(cronJob, 'Warning', 'InvalidSchedule', text);
    return undefined;
  }
  const { atMs, missed } = dueTime(cronJob, schedule, nowMs, true);
  if (missed === 'many') {
    const text =
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    events.event(cronJob, 'Warning', 'TooManyMissedTimes', text);
  }
  const wait = (): number | undefined =>
    waitForNext({ ...cronJob, status: sync.status }, schedule, nowMs);
  if (atMs === undefined) return wait();
  const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec ?? {};
  if (startingDeadlineSeconds !== undefined && atMs + startingDeadlineSeconds * 1000 < nowMs) {
    const text = `Missed scheduled time to start a job: ${rfc1123(atMs)}`;
    events.event(cronJob, 'Warning', 'MissSchedule', text);
    return wait();
  }
  const { active = [], lastScheduleTime } = sync.status;
  const isStarted = active.some(({ name }) => name === jobName(cronJob, atMs));
  if (isStarted || lastScheduleTime === formatTime(atMs)) return wait();
  if (concurrencyPolicy === 'Forbid' && active.length > 0) {
    const text =
      'Not starting job because prior execution is running and concurrency policy is Forbid';
    events.event(cronJob, 'Normal', 'JobAlreadyActive', text);
    return wait();
  }
  if (concurrencyPolicy === 'Replace') await replaceActive(sync);
  const job = await createJob(sync, atMs);
  if (job === undefined) return undefined;
  sync.status = {
    ...sync.status,
    active: [...(sync.status.active ?? []), referenceTo(job)],
    lastScheduleTime: formatTime(atMs),
  };
  return wait();
}

/** Undefined when nothing is to be started, which an event may tell. */
function scheduleOf({ cronJob, events }: CronSync): Schedule | undefined {
  const { schedule, timeZone, suspend } = cronJob.spec;
  if (timeZone !== undefined) {
    try {
      createOffsetAt(timeZone);
    } catch {
      const text = `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`;
      events.event(cronJob, 'Warning', 'UnknownTimeZone', text);
      return undefined;
    }
  }
  if (suspend === true) return undefined;
  if (schedule.includes('TZ')) {
    const text = `CRON_TZ or TZ used in schedule "${schedule}" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`;
    events.event(cronJob, 'Warning', 'UnsupportedSchedule', text);
  }
  try {
    return parseSchedule(schedule, timeZone);
  } catch (error) {
    const text = `unparseable schedule: "${schedule}" : ${messageOf(error)}`;
    events.event(cronJob, 'Warning', 'UnparseableSchedule', text);
    return undefined;
  }
}

/** As Go's RFC1123Z: Sat, 21 Nov 2026 11:00:00 +0000. */
function rfc1123(epochMs: number): string {
  return new Date(epochMs).toUTCString().replace(/GMT$/, '+0000');
}

async function replaceActive(sync: CronSync): Promise<void> {
  const { client, cronJob, events } = sync;
  for (const { name = '', namespace } of sync.status.active ?? []) {
    let job: Job;
    try {
      job = await client.get<Job>(resources.jobs, name, { namespace });
    } catch (error) {
      events.event(cronJob, 'Warning', 'FailedGet', `Get job: ${messageOf(error)}`);
      throw error;
    }
    if (await deleteJob(sync, job)) continue;
    throw new K3tsError('JobNotReplaced', `could not replace job ${namespace}/${name}`);
  }
}

async function deleteJob(sync: CronSync, job: Job): Promise<boolean> {
  const { client, cronJob, events } = sync;
  const { name, namespace, uid } = job.metadata;
  try {
    await client.delete(resources.jobs, name, { namespace, propagationPolicy: 'Background' });
  } catch (error) {
    events.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
    return false;
  }
  forget(sync, uid);
  events.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  return true;
}

/** Undefined when a job of this name is there and either not ours or known already. */
async function createJob(sync: CronSync, atMs: number): Promise<Job | undefined> {
  const { client, cronJob, events } = sync;
  const wanted = jobOf(cronJob, atMs);
  const { name, namespace } = wanted.metadata;
  try {
    const job = await client.create<Job>(resources.jobs, wanted, { namespace });
    const madeMs = Date.parse(job.metadata.creationTimestamp ?? '');
    if (!Number.isNaN(madeMs)) sync.noteSkew(Math.max(madeMs - atMs, 0) / 1000);
    events.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
    return job;
  } catch (error) {
    if (hasReason(error, 'AlreadyExists')) {
      // Made by an earlier try whose status was not written.
      const job = await client.get<Job>(resources.jobs, name, { namespace });
      const isKnown = sync.status.active?.some(({ uid }) => uid === job.metadata.uid) === true;
      return isControlledBy(job, cronJob) && !isKnown ? job : undefined;
    }
    if (!isNamespaceTerminating(error)) {
      events.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
    }
    throw error;
  }
}

/** Deletes the oldest ended jobs beyond the history limits. */
export async function trimHistory(sync: CronSync): Promise<void> {
  const { cronJob, jobs } = sync;
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec ?? {};
  const complete = jobs.filter((job) => endOf(job) === 'Complete' && !isDeleting(job));
  const failed = jobs.filter((job) => endOf(job) === 'Failed' && !isDeleting(job));
  const excess = [
    ...excessOf(complete, successfulJobsHistoryLimit),
    ...excessOf(failed, failedJobsHistoryLimit),
  ];
  for (const job of excess) await deleteJob(sync, job);
}
