import { controllerOf, objectKey } from '#client/mod.ts';
import type { Expectations, Informer } from '#client/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { Pod, ReplicaSet } from '#schema/types.ts';
import { observeDeleted } from '../pods/observe-deleted.ts';
import { isNamespaceTerminating, podFromTemplate } from '../pods/pod-control.ts';
import type { PodControl } from '../pods/pod-control.ts';
import { controlledBy } from '../pods/owned-objects.ts';
import { isPodActive } from '../pods/pod-state.ts';
import { slowStart } from '../pods/slow-start.ts';
import { podsToDelete } from './deletion-rank.ts';

/** As upstream: at most this many pods are made or deleted in one sync; the rest in the next. */
const burst = 500;

/**
 * Makes or deletes pods until there are as many as wanted. Returns the error of the first one that
 * failed; what was expected of the failed ones is taken back.
 */
export async function manageReplicas(options: {
  set: ReplicaSet;
  active: readonly Pod[];
  control: PodControl;
  expectations: Expectations;
  relatedSets: readonly KubeObject[];
  pods: Informer<Pod>;
  clock: Clock;
}): Promise<unknown> {
  const { set, active } = options;
  const missing = (set.spec?.replicas ?? 1) - active.length;
  if (missing > 0) return await createMissing(options, Math.min(missing, burst));
  if (missing < 0) return await deleteExcess(options, Math.min(-missing, burst));
  return undefined;
}

async function createMissing(
  options: Parameters<typeof manageReplicas>[0],
  missing: number,
): Promise<unknown> {
  const { set, control, expectations } = options;
  const key = objectKey(set);
  expectations.expectCreations(key, missing);
  const pod = podFromTemplate(set.spec?.template ?? {}, set);
  const { successes, error } = await slowStart(missing, () => control.create(pod, set));
  for (let failed = missing - successes; failed > 0; failed--) expectations.creationObserved(key);
  return isNamespaceTerminating(error) ? undefined : error;
}

async function deleteExcess(
  options: Parameters<typeof manageReplicas>[0],
  excess: number,
): Promise<unknown> {
  const { set, active, control, expectations, relatedSets, pods, clock } = options;
  const key = objectKey(set);
  const context = { podsOnNode: relatedPodsOnNodes(relatedSets, pods), nowMs: clock.now() };
  const victims = podsToDelete(active, excess, context);
  expectations.expectDeletions(
    key,
    victims.map((pod) => pod.metadata.uid ?? ''),
  );
  const results = await Promise.allSettled(
    victims.map(async (pod) => {
      try {
        await control.delete(pod, set);
      } catch (error) {
        expectations.deletionObserved(key, pod.metadata.uid ?? '');
        throw error;
      }
    }),
  );
  observeDeleted(expectations, key, pods, victims);
  return results.find((result) => result.status === 'rejected')?.reason;
}

/** Pods that serve the same purpose, counted by node: deleting evens them out. */
function relatedPodsOnNodes(
  sets: readonly KubeObject[],
  pods: Informer<Pod>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const set of sets) {
    for (const pod of controlledBy(pods, set.metadata.uid ?? '')) {
      const node = pod.spec?.nodeName;
      if (node === undefined || !isPodActive(pod)) continue;
      counts.set(node, (counts.get(node) ?? 0) + 1);
    }
  }
  return counts;
}

/** The sets with the same controller, old and new ones of a Deployment; none for a set of its own. */
export function setsOfSameOwner(
  set: ReplicaSet,
  sets: Informer<ReplicaSet>,
): readonly ReplicaSet[] {
  const uid = controllerOf(set)?.uid;
  return uid === undefined ? [] : controlledBy(sets, uid);
}
