import { objectKey } from '#client/mod.ts';
import type { Client, Expectations, Informer } from '#client/mod.ts';
import type { Job, Pod } from '#schema/types.ts';
import { observeDeleted } from '../pods/observe-deleted.ts';
import { isPodReady } from '../pods/pod-state.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import type { PodControl } from '../pods/pod-control.ts';
import { slowStart } from '../pods/slow-start.ts';
import { compareActivePods } from '../replicaset/deletion-rank.ts';
import { indexWaitMs } from './index-failures.ts';
import { indexLimit, indexOf, isIndexed, replacesFailedOnly } from './job-facts.ts';
import { jobPod } from './job-pod.ts';
import type { JobMetrics, SyncAction } from './job-metrics.ts';
import type { PodTally } from './pod-tally.ts';
import { removeTracking } from './tracking.ts';

/** As upstream: at most this many pods are made or deleted in one sync. */
const burst = 500;

/** What the status will say; kept true while pods are made and deleted. */
export interface PodCounts {
  active: number;
  ready: number;
  terminating: number;
}

export interface PodChanges {
  readonly client: Client;
  readonly control: PodControl;
  readonly expectations: Expectations;
  readonly known: Informer<Pod>;
  readonly job: Job;
  readonly tally: PodTally;
  readonly counts: PodCounts;
  readonly metrics: JobMetrics;
  /** Told for the metrics: what was done last. */
  action: SyncAction;
  readonly nowMs: number;
}

/** How many pods should run now. */
function wantedActive({ job, tally }: PodChanges): number {
  const { parallelism = 1, completions } = job.spec ?? {};
  if (job.spec?.suspend === true) return 0;
  // Without a number of completions one success means that the work is running out.
  if (completions === undefined) return tally.succeeded > 0 ? tally.active.length : parallelism;
  return Math.min(completions - tally.succeeded, parallelism);
}

/**
 * Makes or deletes pods until as many run as should; without a limit by index only when the job's
 * own `waitMs` is over. Answers how long to wait until more can be done; throws what the first
 * failed change met.
 */
export async function managePods(changes: PodChanges, waitMs: number): Promise<number | undefined> {
  const { job, tally } = changes;
  const wanted = Math.max(wantedActive(changes), 0);
  const useless = uselessPods(job, tally.active);
  const useful = tally.active.filter((pod) => !useless.includes(pod));
  const excess = tally.active.length - wanted - useless.length;
  const victims = [...useless, ...leastImportant(useful, excess)];
  if (victims.length > 0) {
    await deletePods(changes, job.spec?.suspend === true ? victims : victims.slice(0, burst));
    return undefined;
  }
  if (job.spec?.suspend === true) return undefined;
  const leaving = replacesFailedOnly(job) ? tally.leaving.length : 0;
  const missing = Math.min(wanted - tally.active.length - leaving, burst);
  if (missing <= 0) return undefined;
  if (waitMs > 0 && indexLimit(job) === undefined) return waitMs;
  return await createPods(changes, missing);
}

function leastImportant(active: readonly Pod[], excess: number): Pod[] {
  return excess <= 0 ? [] : active.toSorted(compareActivePods).slice(0, excess);
}

/** Pods of an Indexed job beyond its completions, and doubles of an index. */
function uselessPods(job: Job, active: readonly Pod[]): Pod[] {
  if (!isIndexed(job)) return [];
  const byIndex = new Map<number | undefined, Pod[]>();
  for (const pod of active) {
    const index = indexOf(pod, job);
    byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
  }
  return [...byIndex].flatMap(([index, pods]) =>
    index === undefined ? pods : leastImportant(pods, pods.length - 1),
  );
}

/** Deletes pods that are too many. They are let go first, so that they count as no failures. */
async function deletePods(changes: PodChanges, pods: readonly Pod[]): Promise<void> {
  const { client, control, expectations, job, known } = changes;
  const key = objectKey(job);
  changes.action = 'pods_deleted';
  expectations.expectDeletions(
    key,
    pods.map((pod) => pod.metadata.uid ?? ''),
  );
  const failure = await deleteEach(changes, pods, async (pod) => {
    try {
      await removeTracking(client, pod);
      await control.delete(pod, job);
    } catch (error) {
      expectations.deletionObserved(key, pod.metadata.uid ?? '');
      throw error;
    }
  });
  observeDeleted(expectations, key, known, pods);
  if (failure !== undefined) throw failure.error;
}

/**
 * Deletes what still runs of a job that has come to its end. Finalizers stay until the status has
 * taken the pods in. Answers what went wrong, if anything.
 */
export async function deleteActive(changes: PodChanges): Promise<{ error: unknown } | undefined> {
  const { control, job, tally } = changes;
  return await deleteEach(changes, tally.active, (pod) => control.delete(pod, job));
}

async function deleteEach(
  { counts }: PodChanges,
  pods: readonly Pod[],
  deletePod: (pod: Pod) => Promise<void>,
): Promise<{ error: unknown } | undefined> {
  const results = await Promise.allSettled(
    pods.map(async (pod) => {
      await deletePod(pod);
      counts.active -= 1;
      counts.terminating += 1;
      if (isPodReady(pod)) counts.ready -= 1;
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  return failed === undefined ? undefined : { error: failed.reason };
}

async function createPods(changes: PodChanges, missing: number): Promise<number | undefined> {
  const { control, expectations, job, tally, counts } = changes;
  const key = objectKey(job);
  const free = isIndexed(job) ? freeIndexes(changes, missing) : undefined;
  const total = free?.ready.length ?? missing;
  if (total === 0) return free?.waitMs;
  expectations.expectCreations(key, total);
  const { successes, error } = await slowStart(total, () => {
    const index = free?.ready.shift();
    const replaced = index === undefined ? undefined : tally.replaceable.get(index);
    return control.create(jobPod(job, index, replaced), job);
  });
  counts.active += successes;
  changes.action = 'pods_created';
  const hasFailed = tally.failed > 0 || counts.terminating > 0;
  changes.metrics.created(job, hasFailed, successes, error === undefined ? 0 : 1);
  for (let failed = total - successes; failed > 0; failed--) expectations.creationObserved(key);
  if (error !== undefined && !isNamespaceTerminating(error)) throw error as Error;
  return free?.waitMs;
}

/**
 * The lowest indexes that are neither done, given up nor being worked on. With a limit for each
 * index, each one also waits for itself after a failure.
 */
function freeIndexes(
  { job, tally, nowMs }: PodChanges,
  limit: number,
): { ready: number[]; waitMs: number | undefined } {
  const leaving = replacesFailedOnly(job) ? tally.leaving : [];
  const busy = new Set([...tally.active, ...leaving].map((pod) => indexOf(pod, job)));
  const ready: number[] = [];
  let waitMs: number | undefined;
  let taken = 0;
  for (let index = 0; index < (job.spec?.completions ?? 0) && taken < limit; index++) {
    const isDone = tally.completedIndexes.has(index) || tally.failedIndexes.has(index);
    if (isDone || busy.has(index)) continue;
    taken += 1;
    const leftMs = indexWaitMs(tally.replaceable.get(index), nowMs);
    if (leftMs > 0) waitMs = Math.min(waitMs ?? leftMs, leftMs);
    else ready.push(index);
  }
  return { ready, waitMs };
}
