import type { Job, JobCondition, Pod } from '#schema/types.ts';

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking';
const ownManager = 'kubernetes.io/job-controller';
export const indexKey = 'batch.kubernetes.io/job-completion-index';

export function isIndexed(job: Job): boolean {
  return job.spec?.completionMode === 'Indexed';
}

/** The index of a pod of an Indexed job; undefined for one that has none within the job. */
export function indexOf(pod: Pod, job: Job): number | undefined {
  const text = pod.metadata.annotations?.[indexKey];
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const index = Number(text);
  return index < (job.spec?.completions ?? 0) ? index : undefined;
}

export function conditionOf(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find(
    (condition) => condition.type === type && condition.status === 'True',
  );
}

/** Complete or Failed: nothing is done for it any more. */
export function finishedCondition(job: Job): JobCondition | undefined {
  return conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed');
}

export function hasTracking(pod: Pod): boolean {
  return pod.metadata.finalizers?.includes(trackingFinalizer) === true;
}

/** Another controller looks after the job: nothing of it is touched here. */
export function isManagedElsewhere(job: Job): boolean {
  return (job.spec?.managedBy ?? ownManager) !== ownManager;
}

/** Whether only pods that have ended are replaced, and not those that are on their way out. */
export function replacesFailedOnly(job: Job): boolean {
  const { podReplacementPolicy, podFailurePolicy } = job.spec ?? {};
  return podReplacementPolicy === 'Failed' || podFailurePolicy !== undefined;
}

/** How many failures of one index are allowed; undefined without a limit by index. */
export function indexLimit(job: Job): number | undefined {
  return isIndexed(job) ? job.spec?.backoffLimitPerIndex : undefined;
}
