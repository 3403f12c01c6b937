import type { Pod, StatefulSet } from '#schema/types.ts';
import { isDeleting, isPodFinished } from '../pods/pod-state.ts';
import { slowStart } from '../pods/slow-start.ts';
import {
  isCreated,
  isInRange,
  isParallel,
  isRunningAndAvailable,
  isUnavailable,
  maxUnavailableOf,
  ordinalOf,
  partitionOf,
  replicasOf,
  revisionOf,
  startOrdinal,
} from './set-facts.ts';
import { plannedPod } from './set-pod.ts';
import type { SetRevisions } from './set-revisions.ts';
import type { StatefulPodControl } from './stateful-pod-control.ts';

export interface SyncOptions {
  readonly set: StatefulSet;
  readonly revisions: SetRevisions;
  /** Claimed pods, those on their way out included. */
  readonly pods: readonly Pod[];
  readonly control: StatefulPodControl;
  readonly nowMs: number;
}

/** What was done: pods that are new, and pods of the current revision that an update ended. */
export interface SyncOutcome {
  readonly created: readonly Pod[];
  readonly endedForUpdate: number;
  readonly error: unknown;
}

/** Whether the round ends after a pod, because the next must wait for it. */
type Verdict = 'wait' | 'goOn';

/**
 * One round: makes and mends pods from the first ordinal on, then ends pods beyond the range from
 * the last on, then ends pods of old revisions. In order, each pod waits for those before it.
 */
export async function syncPods(options: SyncOptions): Promise<SyncOutcome> {
  const { set, pods } = options;
  const created: Pod[] = [];
  let endedForUpdate = 0;
  const replicas = replicasByOrdinal(options);
  const condemned = pods
    .filter((pod) => ordinalOf(pod) >= 0 && !isInRange(pod, set))
    .toSorted((a, b) => ordinalOf(b) - ordinalOf(a));
  try {
    const hasAll = await forAll(set, replicas, (pod) => keepReplica(options, pod, created));
    if (!hasAll) return { created, endedForUpdate, error: undefined };
    await forAll(set, condemned, async (pod) => {
      await options.control.updateClaimOwners(set, pod);
      return 'goOn';
    });
    const firstUnhealthy = [...replicas, ...condemned.toReversed()].find((pod) =>
      isUnavailable(pod, set, options.nowMs),
    );
    const isInRangeOnly = await forAll(set, condemned, (pod) =>
      endCondemned(options, pod, firstUnhealthy),
    );
    if (isInRangeOnly && set.spec?.updateStrategy?.type !== 'OnDelete') {
      endedForUpdate = await endOutdated(options, replicas);
    }
    return { created, endedForUpdate, error: undefined };
  } catch (error) {
    return { created, endedForUpdate, error };
  }
}

function replicasByOrdinal({ set, pods, revisions }: SyncOptions): Pod[] {
  const first = startOrdinal(set);
  const known = new Map(pods.map((pod) => [ordinalOf(pod), pod]));
  return Array.from(
    { length: replicasOf(set) },
    (_, index) => known.get(first + index) ?? plannedPod(set, revisions, first + index),
  );
}

/** In order until one says wait; or all of them, more and more at a time. */
async function forAll(
  set: StatefulSet,
  pods: readonly Pod[],
  work: (pod: Pod) => Promise<Verdict>,
): Promise<boolean> {
  if (!isParallel(set)) {
    for (const pod of pods) if ((await work(pod)) === 'wait') return false;
    return true;
  }
  const queue = [...pods];
  const { error } = await slowStart(pods.length, () => work(queue.shift() as Pod));
  if (error !== undefined) throw error as Error;
  return true;
}

async function keepReplica(options: SyncOptions, pod: Pod, created: Pod[]): Promise<Verdict> {
  const { set, control, nowMs } = options;
  const isOrdered = !isParallel(set);
  if (isPodFinished(pod)) {
    // Made anew, under the same name, once this one is gone.
    if (!isDeleting(pod)) await control.delete(set, pod);
    return 'wait';
  }
  if (!isCreated(pod)) {
    if (control.hasStaleClaim(set, pod)) return 'wait';
    created.push(await control.create(set, pod));
    return isOrdered ? 'wait' : 'goOn';
  }
  if (pod.status?.phase === 'Pending') await control.createMissingClaims(set, pod);
  if (isOrdered && (isDeleting(pod) || !isRunningAndAvailable(pod, set, nowMs))) return 'wait';
  if (!isDeleting(pod)) await control.repair(set, pod);
  return 'goOn';
}

async function endCondemned(
  { set, control, nowMs }: SyncOptions,
  pod: Pod,
  firstUnhealthy: Pod | undefined,
): Promise<Verdict> {
  const isOrdered = !isParallel(set);
  if (isDeleting(pod)) return isOrdered ? 'wait' : 'goOn';
  const mustWait = !isRunningAndAvailable(pod, set, nowMs) && pod !== firstUnhealthy;
  if (isOrdered && mustWait) return 'wait';
  await control.delete(set, pod);
  return 'wait';
}

/** Ends pods of old revisions; answers how many of the current one. */
async function endOutdated(options: SyncOptions, replicas: readonly Pod[]): Promise<number> {
  const { set, control, revisions } = options;
  const chosen = outdatedPods(options, replicas);
  let ended = 0;
  for (const pod of chosen) {
    await control.delete(set, pod);
    if (revisionOf(pod) === revisions.current.metadata.name) ended += 1;
  }
  return ended;
}

/**
 * The old pods to end now, the last ordinal first and none below the partition. As upstream without
 * its gate MaxUnavailableStatefulSet: one, as soon as those after it are updated and serve. Where
 * maxUnavailable was set all the same, as many as may be missing.
 */
function outdatedPods(options: SyncOptions, replicas: readonly Pod[]): Pod[] {
  const { set, revisions, nowMs } = options;
  const targets = replicas.slice(partitionOf(set)).reverse();
  const isOutdated = (pod: Pod): boolean =>
    isCreated(pod) && !isDeleting(pod) && revisionOf(pod) !== revisions.update.metadata.name;
  const isMissing = (pod: Pod): boolean => isUnavailable(pod, set, nowMs);
  if (set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable === undefined) {
    const next = targets.find((pod) => isOutdated(pod) || isMissing(pod));
    return next !== undefined && isOutdated(next) ? [next] : [];
  }
  const room = Math.max(maxUnavailableOf(set) - replicas.filter(isMissing).length, 0);
  const outdated = targets.filter(isOutdated);
  if (!isParallel(set)) return outdated.slice(0, room);
  // Those that do not serve anyway cost nobody anything.
  const serving = outdated.filter((pod) => !isMissing(pod)).slice(0, room);
  return [...outdated.filter(isMissing), ...serving];
}
