import { hasReason } from '#base/api-status-error.ts';
import { objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { Job } from '#schema/types.ts';
import type { StartController } from '../context.ts';

/** When the job may go; undefined while it runs or has no time set. */
function dueMs(job: Job): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  const end = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  if (seconds === undefined || end?.lastTransitionTime === undefined) return undefined;
  return Date.parse(end.lastTransitionTime) + seconds * 1000;
}

/** Deletes finished Jobs, with their pods, when ttlSecondsAfterFinished are over. */
export const startTtlAfterFinished: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const jobs = informers.informer<Job>(resources.jobs);
  const late = context.metrics.histogram({
    name: 'ttl_after_finished_controller_job_deletion_duration_seconds',
    help: 'Time between when a job should have gone and when it did.',
    stability: 'ALPHA',
    buckets: Array.from({ length: 14 }, (_, at) => 0.1 * 2 ** at),
  });
  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'ttl-after-finished-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: jobs.synced(signal),
    async reconcile(key) {
      const job = jobs.get(key);
      const due = job === undefined ? undefined : dueMs(job);
      if (job === undefined || due === undefined) return undefined;
      if (job.metadata.deletionTimestamp !== undefined) return undefined;
      if (due > clock.now()) return { requeueAfterMs: due - clock.now() };
      const { name, namespace, uid, resourceVersion } = job.metadata;
      try {
        // The version: somebody may have prolonged its life meanwhile.
        await client.delete(resources.jobs, name, {
          namespace,
          propagationPolicy: 'Foreground',
          preconditions: { uid, resourceVersion },
        });
        late.with().observe((clock.now() - due) / 1000);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      return undefined;
    },
  });
  const enqueue = (job: Job): void => {
    if (dueMs(job) !== undefined) loop.queue.add(objectKey(job));
  };
  jobs.addHandler({ onAdd: enqueue, onUpdate: (_old, job) => enqueue(job) });
  return loop.done;
};
