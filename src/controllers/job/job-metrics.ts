import type { MetricRegistry } from '#base/metrics.ts';
import type { Job, JobStatus } from '#schema/types.ts';
import { parseIndexes } from './indexes.ts';
import { indexLimit, isIndexed } from './job-facts.ts';
import type { Outcome } from './job-outcome.ts';

/** What a sync did, by the names of upstream's label. */
export type SyncAction = 'reconciling' | 'tracking' | 'pods_created' | 'pods_deleted';

/** Counts what becomes of jobs and their pods, under upstream's names. */
export interface JobMetrics {
  synced(job: Job, action: SyncAction, isGood: boolean, seconds: number): void;
  /** The counts that a status has more than the one before it. */
  counted(job: Job, before: JobStatus, after: JobStatus): void;
  finished(job: Job, outcome: Outcome): void;
  created(job: Job, hasFailed: boolean, succeeded: number, failed: number): void;
  policyActed(action: string): void;
}

export function createJobMetrics(registry: MetricRegistry): JobMetrics {
  const prefix = 'job_controller';
  const syncLabels = ['action', 'completion_mode', 'result'];
  const syncs = registry.counter({
    name: `${prefix}_job_syncs_total`,
    help: 'Looks at jobs.',
    stability: 'STABLE',
    labels: syncLabels,
  });
  const syncSeconds = registry.histogram({
    name: `${prefix}_job_sync_duration_seconds`,
    help: 'Time that a look at a job took.',
    stability: 'STABLE',
    labels: syncLabels,
    buckets: Array.from({ length: 15 }, (_, at) => 0.004 * 2 ** at),
  });
  const pods = registry.counter({
    name: `${prefix}_job_pods_finished_total`,
    help: 'Pods of jobs that ended and are counted.',
    stability: 'STABLE',
    labels: ['completion_mode', 'result'],
  });
  const jobs = registry.counter({
    name: `${prefix}_jobs_finished_total`,
    help: 'Jobs that ended.',
    stability: 'STABLE',
    labels: ['completion_mode', 'reason', 'result'],
  });
  const creations = registry.counter({
    name: `${prefix}_job_pods_creation_total`,
    help: 'Pods that were made for jobs, or should have been.',
    stability: 'ALPHA',
    labels: ['reason', 'status'],
  });
  const indexes = registry.counter({
    name: `${prefix}_job_finished_indexes_total`,
    help: 'Indexes of jobs that ended.',
    stability: 'ALPHA',
    labels: ['backoffLimit', 'status'],
  });
  const policies = registry.counter({
    name: `${prefix}_pod_failures_handled_by_failure_policy_total`,
    help: 'Failed pods that a rule of a failure policy met.',
    stability: 'ALPHA',
    labels: ['action'],
  });
  const modeOf = (job: Job): string => job.spec?.completionMode ?? 'NonIndexed';
  const rise = (from: number | undefined, to: number | undefined): number =>
    Math.max((to ?? 0) - (from ?? 0), 0);
  return {
    synced(job, action, isGood, seconds) {
      const values = [action, modeOf(job), isGood ? 'success' : 'error'];
      syncs.with(...values).value++;
      syncSeconds.with(...values).observe(seconds);
    },
    counted(job, before, after) {
      const mode = modeOf(job);
      const succeeded = rise(before.succeeded, after.succeeded);
      if (succeeded > 0) pods.with(mode, 'succeeded').value += succeeded;
      const failed = rise(before.failed, after.failed);
      if (failed > 0) pods.with(mode, 'failed').value += failed;
      if (!isIndexed(job)) return;
      const limit = indexLimit(job) === undefined ? 'global' : 'perIndex';
      if (succeeded > 0) indexes.with(limit, 'succeeded').value += succeeded;
      const completions = job.spec?.completions ?? 0;
      const given = (text: string | undefined): number => parseIndexes(text, completions).size;
      const lost = rise(given(before.failedIndexes), given(after.failedIndexes));
      if (lost > 0) indexes.with(limit, 'failed').value += lost;
    },
    finished(job, { isSuccess, reason }) {
      const result = isSuccess ? 'succeeded' : 'failed';
      jobs.with(modeOf(job), isSuccess ? '' : reason, result).value++;
    },
    created(job, hasFailed, succeeded, failed) {
      const isReplacing = job.spec?.podReplacementPolicy === 'Failed';
      const again = isReplacing ? 'recreate_failed' : 'recreate_terminating_or_failed';
      const reason = hasFailed ? again : 'new';
      if (succeeded > 0) creations.with(reason, 'succeeded').value += succeeded;
      if (failed > 0) creations.with(reason, 'failed').value += failed;
    },
    policyActed: (action) => void policies.with(action).value++,
  };
}
