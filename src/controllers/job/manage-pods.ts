import { objectKey } from '#client/mod.ts';
import type { Client, Expectations, Informer } from '#client/mod.ts';
import type { Job, Pod } from '#schema/types.ts';
import { observeDeleted } from '../pods/observe-deleted.ts';
import { isNamespaceTerminating } from '../pods/pod-control.ts';
import type { PodControl } from '../pods/pod-control.ts';
import { slowStart } from '../pods/slow-start.ts';
import { compareForDeletion } from '../replicaset/deletion-rank.ts';
import { indexOf, isIndexed, replacesFailedOnly } from './job-facts.ts';
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

/** Makes or deletes pods until as many run as should; throws what the first failed one met. */
export async function managePods(changes: PodChanges, mayCreate: boolean): Promise<void> {
  const { job, tally } = changes;
  const wanted = Math.max(wantedActive(changes), 0);
  const excess = tally.active.length - wanted;
  if (excess > 0) {
    await deletePods(changes, leastImportant(tally.active, excess, changes.nowMs), true);
    return;
  }
  const leaving = replacesFailedOnly(job) ? tally.terminating : 0;
  const missing = Math.min(wanted - tally.active.length - leaving, burst);
  if (missing > 0 && mayCreate) await createPods(changes, missing);
}

function leastImportant(active: readonly Pod[], excess: number, nowMs: number): Pod[] {
  const context = { podsOnNode: new Map<string, number>(), nowMs };
  return active.toSorted((a, b) => compareForDeletion(a, b, context)).slice(0, excess);
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

async function createPods(changes: PodChanges, missing: number): Promise<void> {
  const { control, expectations, job, tally } = changes;
  const key = objectKey(job);
  const indexes = isIndexed(job) ? freeIndexes(job, tally, missing) : undefined;
  const total = indexes?.length ?? missing;
  expectations.expectCreations(key, total);
  const { successes, error } = await slowStart(total, () => {
    const index = indexes?.shift();
    const failures = index === undefined ? 0 : (tally.indexFailures.get(index) ?? 0);
    return control.create(jobPod(job, index, failures), job);
  });
  for (let failed = total - successes; failed > 0; failed--) expectations.creationObserved(key);
  if (error !== undefined && !isNamespaceTerminating(error)) throw error as Error;
}

/** The lowest indexes that are neither done, given up nor being worked on. */
function freeIndexes(job: Job, tally: PodTally, limit: number): number[] {
  const busy = new Set(tally.active.map((pod) => indexOf(pod, job)));
  const free: number[] = [];
  for (let index = 0; index < (job.spec?.completions ?? 0) && free.length < limit; index++) {
    const isTaken = tally.completedIndexes.has(index) || tally.failedIndexes.has(index);
    if (!isTaken && !busy.has(index)) free.push(index);
  }
  return free;
}
