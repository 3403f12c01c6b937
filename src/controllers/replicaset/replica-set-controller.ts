import { createExpectations, objectKey, resources } from '#client/mod.ts';
import { startControllerLoop } from '#client/mod.ts';
import type { ReconcileResult } from '#client/mod.ts';
import type { Pod, ReplicaSet } from '#schema/types.ts';
import type { ControllerContext, StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';
import { claimObjects } from '../pods/claim.ts';
import { claimable, indexByController } from '../pods/owned-objects.ts';
import { createOwnedPodHandler } from '../pods/owned-pod-events.ts';
import { createPodControl } from '../pods/pod-control.ts';
import { isDeleting, isPodActive, isPodTerminating, nextAvailableMs } from '../pods/pod-state.ts';
import { manageReplicas, setsOfSameOwner } from './manage-replicas.ts';
import { replicaSetFlavour, replicationControllerFlavour } from './replica-flavour.ts';
import type { ReplicaFlavour } from './replica-flavour.ts';
import { replicaSetStatus } from './replica-set-status.ts';

/** Keeps as many pods as a ReplicaSet wants. */
export const startReplicaSetController: StartController = (context) =>
  startReplicas(context, replicaSetFlavour);

/** The same for ReplicationControllers. */
export const startReplicationController: StartController = (context) =>
  startReplicas(context, replicationControllerFlavour);

function startReplicas(context: ControllerContext, flavour: ReplicaFlavour): Promise<void> {
  const { client, informers, clock, log, signal, events } = context;
  const sets = informers.informer<ReplicaSet>(flavour.resource);
  const pods = informers.informer<Pod>(resources.pods);
  indexByController(sets);
  indexByController(pods);
  const expectations = createExpectations(clock);
  const control = createPodControl(client, events);

  const writeStatus = async (set: ReplicaSet, status: ReplicaSet['status']): Promise<void> => {
    if (status === undefined || isSameJson(set.status, status)) return;
    const { namespace } = set.metadata;
    const options = { namespace, subresource: 'status' };
    try {
      await client.update<ReplicaSet>(flavour.resource, { ...set, status }, options);
    } catch (error) {
      if (!isObjectGone(error, set)) throw error;
    }
  };

  const reconcile = async (key: string): Promise<ReconcileResult | void> => {
    const set = sets.get(key);
    if (set === undefined) {
      expectations.forget(key);
      return undefined;
    }
    const isSettled = expectations.satisfied(key);
    const claimed = await claimObjects<Pod>({
      client,
      owner: set,
      ownerResource: flavour.resource,
      resource: resources.pods,
      selector: flavour.selectorOf(set),
      candidates: claimable(pods, set).filter((pod) => isPodActive(pod) || isPodTerminating(pod)),
    });
    const active = claimed.filter(isPodActive);
    const missing = (set.spec?.replicas ?? 1) - active.length;
    let failure: unknown;
    if (isSettled && !isDeleting(set)) {
      const relatedSets = setsOfSameOwner(set, sets);
      const options = { set, active, control, expectations, relatedSets, pods, clock };
      failure = await manageReplicas(options);
    }
    const terminating = flavour.countsTerminating ? claimed.length - active.length : undefined;
    const nowMs = clock.now();
    const status = replicaSetStatus({ set, active, terminating, missing, failure, nowMs });
    await writeStatus(set, status);
    if (failure !== undefined) throw failure as Error;
    const minReadySeconds = set.spec?.minReadySeconds ?? 0;
    const isWaiting = (status.readyReplicas ?? 0) > (status.availableReplicas ?? 0);
    if (!isWaiting) return undefined;
    const nextMs = nextAvailableMs(active, minReadySeconds, nowMs);
    return { requeueAfterMs: nextMs ?? minReadySeconds * 1000 };
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: flavour.controller,
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([sets.synced(signal), pods.synced(signal)]),
    reconcile,
  });
  const { queue } = loop;
  sets.addHandler({
    onAdd: (set) => queue.add(objectKey(set)),
    onUpdate: (_old, set) => queue.add(objectKey(set)),
    onDelete: (set) => expectations.forget(objectKey(set)),
  });
  pods.addHandler(
    createOwnedPodHandler<ReplicaSet>({
      owners: sets,
      kind: flavour.kind,
      selectorOf: (set) => flavour.selectorOf(set),
      minReadySecondsOf: (set) => set.spec?.minReadySeconds ?? 0,
      expectations,
      enqueue: (key) => queue.add(key),
      enqueueAfter: (key, delayMs) => queue.addAfter(key, delayMs),
    }),
  );
  return loop.done;
}
