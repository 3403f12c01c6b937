import { controllerOf, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { CronJob, Job } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';
import { controlledBy, indexByController } from '../pods/owned-objects.ts';
import { waitForNext } from './due-time.ts';
import { parseSchedule } from './schedule.ts';
import { settleJobs, startDueJob, trimHistory } from './sync-cron-job.ts';
import type { CronSync } from './sync-cron-job.ts';

/** Makes Jobs at the times that CronJobs say. */
export const startCronJobController: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const cronJobs = informers.informer<CronJob>(resources.cronJobs);
  const jobs = informers.informer<Job>(resources.jobs);
  indexByController(jobs);

  const skew = context.metrics.histogram({
    name: 'cronjob_controller_job_creation_skew_duration_seconds',
    help: 'Time between when a job should have been made and when it was.',
    stability: 'STABLE',
    buckets: Array.from({ length: 10 }, (_, at) => 2 ** at),
  });
  const noteSkew = (seconds: number): void => skew.with().observe(seconds);

  const reconcile = async (cronJob: CronJob): Promise<number | undefined> => {
    const owned = controlledBy(jobs, cronJob.metadata.uid ?? '');
    const status = cronJob.status ?? {};
    const nowMs = clock.now();
    const sync: CronSync = { client, events, noteSkew, nowMs, cronJob, jobs: owned, status };
    let failure: unknown;
    let waitMs: number | undefined;
    try {
      await settleJobs(sync);
      waitMs = await startDueJob(sync);
    } catch (error) {
      failure = error;
    }
    await trimHistory(sync);
    if (!isSameJson(sync.status, cronJob.status ?? {})) {
      const options = { namespace: cronJob.metadata.namespace, subresource: 'status' };
      const next = { ...cronJob, status: sync.status };
      await client.update<CronJob>(resources.cronJobs, next, options);
    }
    if (failure !== undefined) throw failure as Error;
    return waitMs;
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'cronjob-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([cronJobs.synced(signal), jobs.synced(signal)]),
    async reconcile(key) {
      const cronJob = cronJobs.get(key);
      if (cronJob === undefined) return undefined;
      try {
        const requeueAfterMs = await reconcile(cronJob);
        return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
      } catch (error) {
        if (isObjectGone(error, cronJob)) return undefined;
        throw error;
      }
    },
  });
  const { queue } = loop;
  cronJobs.addHandler({
    onAdd: (cronJob) => queue.add(objectKey(cronJob)),
    onUpdate(old, cronJob) {
      const { schedule, timeZone } = cronJob.spec;
      const isSame = old.spec.schedule === schedule && old.spec.timeZone === timeZone;
      const waitMs = isSame ? 0 : waitOf(cronJob, schedule, timeZone, clock.now());
      // A changed schedule does not make up for times that it would have had before.
      queue.addAfter(objectKey(cronJob), waitMs);
    },
  });
  const onJob = (job: Job): void => {
    const owner = controllerOf(job);
    if (owner?.kind === 'CronJob') queue.add(`${job.metadata.namespace}/${owner.name}`);
  };
  jobs.addHandler({ onAdd: onJob, onUpdate: (_old, job) => onJob(job), onDelete: onJob });
  return loop.done;
};

function waitOf(
  cronJob: CronJob,
  schedule: string,
  timeZone: string | undefined,
  nowMs: number,
): number {
  try {
    return waitForNext(cronJob, parseSchedule(schedule, timeZone), nowMs) ?? 0;
  } catch {
    // The reconcile tells what is wrong with the schedule.
    return 0;
  }
}
