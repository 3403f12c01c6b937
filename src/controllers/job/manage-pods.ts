import { objectKey } from '#client/mod.ts';
import type { Client, Expectations, Informer } from '#client/mod.ts';
import type { Job, Pod } from '#schema/types.ts';
import { observeDeleted } from '../pods/observe-deleted.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import type { PodControl } from '../pods/pod-control.ts';
import { slowStart } from '../pods/slow-start.ts';
import { compareForDeletion } from '../replicaset/deletion-rank.ts';
import { backOffMs } from './job-back-off.ts';
import { indexLimit, indexOf, isIndexed, replacesFailedOnly } from './job-facts.ts';
import { jobPod } from './job-pod.ts';
import type { PodTally } from './pod-tally.ts';
import { removeTracking } from './tracking.ts';

/** As upstream: at most this many pods are made in one sync. */
const burst = 500;

export interface PodChanges {
  readonly client: Client;
  readonly control: PodControl;
  readonly expectations: Expectations;
  readonly known: Informer<Pod>;
  readonly job: Job;
  readonly tally: PodTally;
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
 * Makes or deletes pods until as many run as should. Answers how long to wait until an index that
 * failed may be tried again; throws what the first failed change met.
 */
export async function managePods(
  changes: PodChanges,
  mayCreate: boolean,
): Promise<number | undefined> {
  const { job, tally, nowMs } = changes;
  const wanted = Math.max(wantedActive(changes), 0);
  const useless = uselessPods(job, tally.active, nowMs);
  const useful = tally.active.filter((pod) => !useless.includes(pod));
  const excess = tally.active.length - wanted - useless.length;
  const victims = [...useless, ...leastImportant(useful, excess, nowMs)];
  if (victims.length > 0) {
    await deletePods(changes, victims, true);
    return undefined;
  }
  const leaving = replacesFailedOnly(job) ? tally.terminating : 0;
  const missing = Math.min(wanted - tally.active.length - leaving, burst);
  return missing > 0 && mayCreate ? await createPods(changes, missing) : undefined;
}

function leastImportant(active: readonly Pod[], excess: number, nowMs: number): Pod[] {
  if (excess <= 0) return [];
  const context = { podsOnNode: new Map<string, number>(), nowMs };
  return active.toSorted((a, b) => compareForDeletion(a, b, context)).slice(0, excess);
}

/** Pods of an Indexed job beyond its completions, and doubles of an index. */
function uselessPods(job: Job, active: readonly Pod[], nowMs: number): Pod[] {
  if (!isIndexed(job)) return [];
  const byIndex = new Map<number | undefined, Pod[]>();
  for (const pod of active) {
    const index = indexOf(pod, job);
    byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
  }
  return [...byIndex].flatMap(([index, pods]) =>
    index === undefined ? pods : leastImportant(pods, pods.length - 1, nowMs),
  );
}

/**
 * Deletes pods of the job. Those that the job itself gives up (`isUncounted`) are let go first, so
 * that they do not count as failures.
 */
export async function deletePods(
  changes: PodChanges,
  pods: readonly Pod[],
  isUncounted: boolean,
): Promise<void> {
  const { client, control, expectations, job, known } = changes;
  const key = objectKey(job);
  expectations.expectDeletions(
    key,
    pods.map((pod) => pod.metadata.uid ?? ''),
  );
  const results = await Promise.allSettled(
    pods.map(async (pod) => {
      try {
        if (isUncounted) await removeTracking(client, pod);
        await control.delete(pod, job);
      } catch (error) {
        expectations.deletionObserved(key, pod.metadata.uid ?? '');
        throw error;
      }
    }),
  );
  observeDeleted(expectations, key, known, pods);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function createPods(changes: PodChanges, missing: number): Promise<number | undefined> {
  const { control, expectations, job, tally } = changes;
  const key = objectKey(job);
  const free = isIndexed(job) ? freeIndexes(changes, missing) : undefined;
  const total = free?.ready.length ?? missing;
  if (total === 0) return free?.waitMs;
  expectations.expectCreations(key, total);
  const { successes, error } = await slowStart(total, () => {
    const index = free?.ready.shift();
    const failures = index === undefined ? 0 : (tally.indexFailures.get(index) ?? 0);
    return control.create(jobPod(job, index, failures), job);
  });
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
    const leftMs = indexLimit(job) === undefined ? 0 : indexWaitMs(tally, index, nowMs);
    if (leftMs > 0) waitMs = Math.min(waitMs ?? leftMs, leftMs);
    else ready.push(index);
  }
  return { ready, waitMs };
}

function indexWaitMs(tally: PodTally, index: number, nowMs: number): number {
  const failures = tally.indexFailures.get(index) ?? 0;
  const lastMs = tally.indexFailedMs.get(index);
  if (failures === 0 || lastMs === undefined) return 0;
  return lastMs + backOffMs(failures) - nowMs;
}
