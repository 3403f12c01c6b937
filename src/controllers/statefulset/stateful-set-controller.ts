import {
  controllerOf,
  createExpectations,
  objectKey,
  resources,
  startControllerLoop,
} from '#client/mod.ts';
import type { ReconcileResult } from '#client/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
  StatefulSetStatus,
} from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';
import { claimFrom } from '../pods/claim-from.ts';
import { indexByController } from '../pods/owned-objects.ts';
import { isDeleting, nextAvailableMs } from '../pods/pod-state.ts';
import { createOwnedPodHandler } from '../pods/owned-pod-events.ts';
import { isMemberOf, replicasOf } from './set-facts.ts';
import { findRevisions, trimRevisions } from './set-revisions.ts';
import { createStatefulPodControl } from './stateful-pod-control.ts';
import { statefulSetStatus } from './stateful-set-status.ts';
import { syncPods } from './sync-pods.ts';

/** Keeps the pods of StatefulSets, each with its own name and claims. */
export const startStatefulSetController: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const sets = informers.informer<StatefulSet>(resources.statefulSets);
  const pods = informers.informer<Pod>(resources.pods);
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const revisions = informers.informer<ControllerRevision>(resources.controllerRevisions);
  indexByController(pods);
  indexByController(revisions);
  const expectations = createExpectations(clock);
  const control = createStatefulPodControl({ client, events, claims, expectations, pods });

  const writeStatus = async (set: StatefulSet, status: StatefulSetStatus): Promise<void> => {
    if (isSameJson(set.status, status)) return;
    const { namespace } = set.metadata;
    const options = { namespace, subresource: 'status' };
    await client.update<StatefulSet>(resources.statefulSets, { ...set, status }, options);
  };

  const sync = async (set: StatefulSet): Promise<ReconcileResult | void> => {
    const claimed = await claimFrom(pods, {
      client,
      owner: set,
      ownerResource: resources.statefulSets,
      resource: resources.pods,
      isCandidate: (pod) => isMemberOf(pod, set),
    });
    const found = await findRevisions(client, set, revisions);
    const nowMs = clock.now();
    const outcome = isDeleting(set)
      ? { created: [], endedForUpdate: 0, error: undefined }
      : await syncPods({ set, revisions: found, pods: claimed, control, nowMs });
    const status = statefulSetStatus({ set, revisions: found, pods: claimed, ...outcome, nowMs });
    await writeStatus(set, status);
    await trimRevisions(client, set, found, claimed);
    if (outcome.error !== undefined) throw outcome.error as Error;
    const { minReadySeconds = 0 } = set.spec ?? {};
    const isWaiting = minReadySeconds > 0 && status.availableReplicas !== replicasOf(set);
    if (!isWaiting) return undefined;
    const nextMs = nextAvailableMs(claimed, minReadySeconds, nowMs);
    return { requeueAfterMs: nextMs ?? minReadySeconds * 1000 };
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'statefulset-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([
      sets.synced(signal),
      pods.synced(signal),
      claims.synced(signal),
      revisions.synced(signal),
    ]),
    async reconcile(key) {
      const set = sets.get(key);
      if (set === undefined) {
        expectations.forget(key);
        return undefined;
      }
      // The change that is still awaited brings the key back.
      if (!expectations.satisfied(key)) return undefined;
      try {
        return await sync(set);
      } catch (error) {
        if (isObjectGone(error, set)) return undefined;
        throw error;
      }
    },
  });
  const { queue } = loop;
  sets.addHandler({
    onAdd: (set) => queue.add(objectKey(set)),
    onUpdate: (_old, set) => queue.add(objectKey(set)),
    onDelete: (set) => queue.add(objectKey(set)),
  });
  pods.addHandler(
    createOwnedPodHandler<StatefulSet>({
      owners: sets,
      kind: 'StatefulSet',
      selectorOf: (set) => labelSelectorFrom(set.spec?.selector),
      minReadySecondsOf: (set) => set.spec?.minReadySeconds ?? 0,
      expectations,
      enqueue: (key) => queue.add(key),
      enqueueAfter: (key, delayMs) => queue.addAfter(key, delayMs),
    }),
  );
  claims.addHandler({
    // A pod waits for the claim of its former life to go away.
    onDelete(claim) {
      const owner = controllerOf(claim);
      const { namespace } = claim.metadata;
      const key = owner?.kind === 'Pod' ? `${namespace}/${owner.name}` : '';
      const name = owner?.kind === 'StatefulSet' ? owner.name : key.replace(/^.*\/|-\d+$/g, '');
      if (name !== '' && sets.get(`${namespace}/${name}`) !== undefined) {
        queue.add(`${namespace}/${name}`);
      }
    },
  });
  return loop.done;
};
