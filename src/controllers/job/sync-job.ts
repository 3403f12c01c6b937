import { objectKey, resources } from '#client/mod.ts';
import type { Expectations, Informer, ReconcileResult } from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Job, JobStatus, Pod } from '#schema/types.ts';
import type { ControllerContext } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';
import { claimObjects } from '../pods/claim.ts';
import { claimable } from '../pods/owned-objects.ts';
import { createPodControl } from '../pods/pod-control.ts';
import { isDeleting } from '../pods/pod-state.ts';
import { count } from '../status-numbers.ts';
import { withOutcome, withSuspension } from './job-conditions.ts';
import { createJobBackOff } from './job-back-off.ts';
import { finishedCondition, hasTracking, indexLimit, trackingFinalizer } from './job-facts.ts';
import { deadlineLeftMs, outcomeOf } from './job-outcome.ts';
import type { Outcome } from './job-outcome.ts';
import { deletePods, managePods } from './manage-pods.ts';
import { statusWithCounted, statusWithUncounted, tallyPods } from './pod-tally.ts';
import type { PodTally } from './pod-tally.ts';
import { removeTracking } from './tracking.ts';

const ownManager = 'kubernetes.io/job-controller';

/** The reconcile of the controller: counts ended pods, then makes, deletes or finishes. */
export function createJobSync(
  context: ControllerContext,
  informers: { jobs: Informer<Job>; pods: Informer<Pod>; expectations: Expectations },
): (key: string) => Promise<ReconcileResult | void> {
  const { client, clock, events } = context;
  const { jobs, pods, expectations } = informers;
  const control = createPodControl(client, events);
  const backOff = createJobBackOff(clock);

  const writeStatus = async (job: Job, status: JobStatus): Promise<Job> => {
    if (isSameJson(status, job.status ?? {})) return job;
    const options = { namespace: job.metadata.namespace, subresource: 'status' };
    return await client.update<Job>(resources.jobs, { ...job, status }, options);
  };

  /** Takes ended pods into the status, lets them go, and returns the job as it is then. */
  const countEnded = async (
    job: Job,
    owned: readonly Pod[],
    tally: PodTally,
  ): Promise<{ job: Job; status: JobStatus }> => {
    const noted = await writeStatus(job, statusWithUncounted(job, tally));
    const { succeeded = [], failed = [] } = noted.status?.uncountedTerminatedPods ?? {};
    const uncounted = new Set([...succeeded, ...failed]);
    const kept = new Set<string>();
    for (const { pod } of tally.ended) {
      const uid = pod.metadata.uid ?? '';
      const isIgnored = !uncounted.has(uid) && uncounted.size < 500;
      if (uncounted.has(uid) || isIgnored) await removeTracking(client, pod);
      else kept.add(uid);
    }
    const stillTracked = new Set(
      owned
        .filter((pod) => hasTracking(pod) && !tally.ended.some((entry) => entry.pod === pod))
        .map((pod) => pod.metadata.uid ?? ''),
    );
    const isTracked = (uid: string): boolean => kept.has(uid) || stillTracked.has(uid);
    return { job: noted, status: statusWithCounted(noted, noted.status ?? {}, isTracked) };
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

  const sync = async (seen: Job): Promise<ReconcileResult | void> => {
    const key = objectKey(seen);
    const uid = seen.metadata.uid ?? '';
    const isSettled = expectations.satisfied(key);
    const owned = await claimObjects<Pod>({
      client,
      owner: seen,
      ownerResource: resources.jobs,
      resource: resources.pods,
      selector: labelSelectorFrom(seen.spec?.selector),
      candidates: claimable(pods, seen),
      finalizer: trackingFinalizer,
    });
    const tally = tallyPods(seen, owned);
    backOff.note(uid, tally.newFailures.length, tally.newSuccesses);
    const { job, status: counted } = await countEnded(seen, owned, tally);
    const nowMs = clock.now();
    const changes = { client, control, expectations, known: pods, job, tally, nowMs };
    const outcome = outcomeOf(job, tally, nowMs);
    // With a limit for each index, one that failed does not hold back the others.
    const waitMs = indexLimit(job) === undefined ? backOff.leftMs(uid) : 0;
    let indexWaitMs: number | undefined;
    let failure: unknown;
    try {
      if (outcome !== undefined) await deletePods(changes, tally.active, outcome.isSuccess);
      else if (isSettled && !isDeleting(job)) {
        indexWaitMs = await managePods(changes, waitMs === 0);
      }
    } catch (error) {
      failure = error;
    }
    let status: JobStatus = {
      ...counted,
      active: count(tally.active.length),
      ready: tally.ready,
      terminating: tally.terminating,
    };
    if (outcome === undefined) status = withSuspension(job, status, events, nowMs);
    else {
      const isOver = tally.active.length === 0 && tally.terminating === 0 && isAllCounted(status);
      status = withOutcome(status, outcome, isOver, nowMs);
    }
    const written = await writeStatus(job, status);
    if (outcome !== undefined && finishedCondition(written) !== undefined) report(written, outcome);
    if (failure !== undefined) throw failure as Error;
    return nextLook(deadlineLeftMs({ ...job, status }, nowMs), waitMs, indexWaitMs);
  };

  return async (key) => {
    const job = jobs.get(key);
    if (job === undefined) {
      expectations.forget(key);
      return undefined;
    }
    const { managedBy = ownManager } = job.spec ?? {};
    if (managedBy !== ownManager) return undefined;
    if (finishedCondition(job) !== undefined) {
      backOff.forget(job.metadata.uid ?? '');
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

function isAllCounted(status: JobStatus): boolean {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  return succeeded.length + failed.length === 0;
}

function nextLook(...waits: readonly (number | undefined)[]): ReconcileResult | undefined {
  const times = waits.filter((ms): ms is number => ms !== undefined && ms > 0);
  return times.length === 0 ? undefined : { requeueAfterMs: Math.min(...times) };
}
