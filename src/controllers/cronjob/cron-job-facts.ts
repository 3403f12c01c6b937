import { controllerReference } from '#client/mod.ts';
import type { CronJob, Job, ObjectReference } from '#schema/types.ts';
import { createOffsetAt, formatInZone } from './time-zone.ts';

const timestampAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** The same for every try at one time, which keeps a job from being made twice. */
export function jobName(cronJob: CronJob, atMs: number): string {
  return `${cronJob.metadata.name}-${Math.floor(atMs / 60_000)}`;
}

export function jobOf(cronJob: CronJob, atMs: number): Job {
  const { metadata, spec } = cronJob.spec.jobTemplate;
  const scheduled = formatInZone(atMs, createOffsetAt(cronJob.spec?.timeZone ?? 'UTC'));
  const labels = metadata?.labels;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(cronJob, atMs),
      namespace: cronJob.metadata.namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...metadata?.annotations, [timestampAnnotation]: scheduled },
      ownerReferences: [controllerReference(cronJob)],
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

export function referenceTo(job: Job): ObjectReference {
  const { namespace, name, uid, resourceVersion } = job.metadata;
  return { apiVersion: 'batch/v1', kind: 'Job', namespace, name, uid, resourceVersion };
}

/** How a job ended; undefined while it has not. */
export function endOf(job: Job): 'Complete' | 'Failed' | undefined {
  const end = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  return end?.type as 'Complete' | 'Failed' | undefined;
}

/** The jobs that are too many, oldest first. */
export function excessOf(jobs: readonly Job[], limit: number | undefined): Job[] {
  if (limit === undefined || jobs.length <= limit) return [];
  const rank = ({ status, metadata }: Job): string =>
    `${status?.startTime ?? '~'} ${metadata.name}`;
  return jobs.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, jobs.length - limit);
}
