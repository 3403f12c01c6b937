import { formatTime } from '#base/clock.ts';
import { objectKey, resources } from '#client/mod.ts';
import type { Expectations, Informer, ReconcileResult } from '#client/mod.ts';
import type { Job, JobStatus, Pod } from '#schema/types.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';
import { claimFrom } from '../pods/claim-from.ts';
import { createPodControl } from '../pods/pod-control.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { count } from '../status-numbers.ts';
import type { FinalizerRemovals } from './finalizer-removals.ts';
import { backOffLeftMs, nextRecord } from './job-back-off.ts';
import type { BackOffRecord } from './job-back-off.ts';
import { withEnd, withSuspension, withTarget } from './job-conditions.ts';
import {
  finishedCondition,
  hasTracking,
  isManagedElsewhere,
  trackingFinalizer,
} from './job-facts.ts';
import { createJobMetrics } from './job-metrics.ts';
import { completionOf, deadlineLeftMs, outcomeOf } from './job-outcome.ts';
import type { Outcome } from './job-outcome.ts';
import { deleteActive, managePods } from './manage-pods.ts';
import type { PodChanges } from './manage-pods.ts';
import { tallyPods } from './pod-tally.ts';
import type { PodTally } from './pod-tally.ts';
import { removeTracking } from './tracking.ts';
import { planTracking, withCounted } from './tracking-plan.ts';

/** What a look at a job's pods came to. */
interface Step {
  readonly outcome: Outcome | undefined;
  readonly status: JobStatus;
  readonly waitMs: number | undefined;
  /** Thrown by the caller once the status is written. */
  readonly failure: { error: unknown } | undefined;
}

/** The reconcile of the controller: makes and deletes pods, counts ended ones, finishes the job. */
export function createJobSync(
  context: ControllerContext,
  known: {
    jobs: Informer<Job>;
    pods: Informer<Pod>;
    expectations: Expectations;
    removals: FinalizerRemovals;
  },
): (key: string) => Promise<ReconcileResult | void> {
  const { client, clock, events } = context;
  const { jobs, pods, expectations, removals } = known;
  const control = createPodControl(client, events);
  const backOffs = new Map<string, BackOffRecord>();
  const metrics = createJobMetrics(context.metrics);

  const writeStatus = async (job: Job, status: JobStatus): Promise<Job> => {
    if (isSameJson(status, job.status ?? {})) return job;
    const options = { namespace: job.metadata.namespace, subresource: 'status' };
    return await client.update<Job>(resources.jobs, { ...job, status }, options);
  };

  /** Takes finalizers off; answers the uids of pods that keep theirs, and the first error. */
  const release = async (
    key: string,
    tally: PodTally,
    released: readonly Pod[],
  ): Promise<{ tracked: ReadonlySet<string>; failure: { error: unknown } | undefined }> => {
    const uidOf = (pod: Pod): string => pod.metadata.uid ?? '';
    const tracked = new Set(tally.pods.filter((pod) => tally.isTracked(pod)).map(uidOf));
    for (const pod of released) removals.expect(key, uidOf(pod));
    let failure: { error: unknown } | undefined;
    await Promise.all(
      released.map(async (pod) => {
        try {
          await removeTracking(client, pod);
          tracked.delete(uidOf(pod));
          // The informer may have shown it, or the end of the pod, before the answer came.
          const seen = pods.get(objectKey(pod));
          const isStale = seen?.metadata.uid === uidOf(pod) && hasTracking(seen);
          if (!isStale) removals.observed(key, uidOf(pod));
        } catch (error) {
          removals.observed(key, uidOf(pod));
          failure ??= { error };
        }
      }),
    );
    return { tracked, failure };
  };
  const report = (job: Job, outcome: Outcome): void => {
    const { completions = Number.POSITIVE_INFINITY } = job.spec ?? {};
    if (outcome.isSuccess && (job.status?.succeeded ?? 0) > completions) {
      const text = 'Too many succeeded pods running after completion count reached';
      events.event(job, 'Warning', 'TooManySucceededPods', text);
    }
    if (outcome.isSuccess) events.event(job, 'Normal', 'Completed', 'Job completed');
    else events.event(job, 'Warning', outcome.reason, outcome.message);
  };

  /** Ends what runs of a job that is over, or brings the number of its pods to what it should be. */
  const step = async (
    changes: PodChanges,
    isSettled: boolean,
    backOffMs: number,
  ): Promise<Step> => {
    const { job, tally, counts, nowMs } = changes;
    const status = (over: JobStatus): JobStatus => ({
      ...over,
      active: count(counts.active),
      ready: counts.ready,
      terminating: counts.terminating,
    });
    const early = outcomeOf(job, tally, nowMs);
    if (early !== undefined) {
      const failure = await deleteActive(changes);
      // Pods may be left, or be there without being known yet.
      const outcome = counts.active === 0 && isSettled ? early : undefined;
      return { outcome, status: status(job.status ?? {}), waitMs: undefined, failure };
    }
    const isManaged = isSettled && !isDeleting(job);
    let waitMs: number | undefined;
    let failure: { error: unknown } | undefined;
    try {
      if (isManaged) waitMs = await managePods(changes, backOffMs);
    } catch (error) {
      failure = { error };
    }
    const outcome = completionOf(job, tally.succeeded, counts.active);
    const over =
      outcome === undefined && isManaged
        ? withSuspension(job, job.status ?? {}, events, nowMs)
        : (job.status ?? {});
    return { outcome, status: status(over), waitMs, failure };
  };

  const sync = async (seen: Job): Promise<ReconcileResult | void> => {
    const key = objectKey(seen);
    const isSettled = expectations.satisfied(key);
    const owned = await claimFrom(pods, {
      client,
      owner: seen,
      ownerResource: resources.jobs,
      resource: resources.pods,
      finalizer: trackingFinalizer,
    });
    const nowMs = clock.now();
    const job = started(seen, nowMs);
    const tally = tallyPods(job, owned, removals.of(key));
    const { active, ready, leaving } = tally;
    const counts = { active: active.length, ready, terminating: leaving.length };
    const changes: PodChanges = {
      client,
      control,
      expectations,
      known: pods,
      job,
      tally,
      counts,
      metrics,
      action: 'tracking',
      nowMs,
    };
    const record = nextRecord(backOffs.get(key), tally.newSucceeded, tally.newFailed);
    const backOffMs = backOffLeftMs(record, nowMs);
    const { outcome, status, waitMs, failure } = await step(changes, isSettled, backOffMs);

    const end = outcome === undefined ? undefined : outcome.isSuccess ? 'success' : 'failure';
    const plan = planTracking(
      job,
      tally,
      withCounted(status, (id) => isHeld(tally, id)),
      end,
    );
    const noted = outcome === undefined ? plan.status : withTarget(plan.status, outcome, nowMs);
    const written = await writeStatus(seen, noted);
    for (const action of plan.policyActions) metrics.policyActed(action);
    backOffs.set(key, record);
    const released = await release(key, tally, plan.release);
    const counted = withCounted(written.status ?? {}, (id) => released.tracked.has(id));
    const isOver =
      outcome !== undefined &&
      released.failure === undefined &&
      !plan.isFull &&
      counts.terminating === 0 &&
      isAllCounted(counted);
    const last = isOver ? withEnd(counted, outcome, nowMs) : counted;
    const done = await writeStatus(written, last);
    metrics.counted(job, seen.status ?? {}, done.status ?? {});
    if (isOver) {
      report(done, outcome);
      metrics.finished(done, outcome);
    }
    const failed = released.failure ?? failure;
    const seconds = (clock.now() - nowMs) / 1000;
    metrics.synced(job, changes.action, failed === undefined, seconds);
    if (failed !== undefined) throw failed.error;
    return nextLook(deadlineLeftMs({ ...job, status: last }, nowMs), waitMs);
  };

  return async (key) => {
    const job = jobs.get(key);
    if (job === undefined) {
      expectations.forget(key);
      removals.forget(key);
      backOffs.delete(key);
      return undefined;
    }
    if (isManagedElsewhere(job)) return undefined;
    if (finishedCondition(job) !== undefined) {
      backOffs.delete(key);
      return undefined;
    }
    try {
      return await sync(job);
    } catch (error) {
      if (isObjectGone(error, job)) return undefined;
      throw error;
    }
  };
}

/** The job with its time of start, which is noted with the first status. */
function started(job: Job, nowMs: number): Job {
  const uncountedTerminatedPods = job.status?.uncountedTerminatedPods ?? {};
  const status = { ...job.status, uncountedTerminatedPods };
  if (status.startTime !== undefined || job.spec?.suspend === true) return { ...job, status };
  return { ...job, status: { ...status, startTime: formatTime(nowMs) } };
}

function isHeld(tally: PodTally, uid: string): boolean {
  return tally.pods.some((pod) => pod.metadata.uid === uid && tally.isTracked(pod));
}

function isAllCounted(status: JobStatus): boolean {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  return succeeded.length + failed.length === 0;
}

function nextLook(...waits: readonly (number | undefined)[]): ReconcileResult | undefined {
  const times = waits.filter((ms): ms is number => ms !== undefined && ms > 0);
  return times.length === 0 ? undefined : { requeueAfterMs: Math.min(...times) };
}
