import { controllerOf, objectKey, resources, startControllerLoop } from '#client/mod.ts';
import { isClaimBound, podClaims } from '#schema/volumes/mod.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isObjectGone } from '../owner-gone.ts';
import { createBinderWrites } from './binder-writes.ts';
import { syncClaim } from './sync-claim.ts';
import { syncVolume } from './sync-volume.ts';

/** As upstream: what is not settled is looked at again this often. */
const resyncMs = 15_000;

/** Binds claims to volumes and keeps the phases of both. */
export const startPersistentVolumeBinder: StartController = (context) => {
  const { client, informers, clock, log, signal, events } = context;
  const volumes = informers.informer<PersistentVolume>(resources.persistentVolumes);
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const classes = informers.informer<StorageClass>(resources.storageClasses);
  const pods = informers.informer<Pod>(resources.pods);
  const writes = createBinderWrites({ client, clock });
  const ready = Promise.all(
    [volumes, claims, classes, pods].map((informer) => informer.synced(signal)),
  );
  // One worker each: two claims must not be promised the same volume.
  const claimLoop = startControllerLoop({
    meter: context.queueMeter,
    name: 'persistentvolume-binder-controller',
    clock,
    log,
    signal,
    ready,
    async reconcile(key) {
      const claim = claims.get(key);
      if (claim === undefined) return undefined;
      try {
        await syncClaim({ client, events, volumes, classes, pods, writes }, claim);
      } catch (error) {
        if (!isObjectGone(error, claim)) throw error;
      }
      return isClaimBound(claim) ? undefined : { requeueAfterMs: resyncMs };
    },
  });
  const enqueueClaim = (key: string): void => claimLoop.queue.add(key);
  const volumeLoop = startControllerLoop({
    meter: context.queueMeter,
    name: 'persistentvolume-binder-controller-volumes',
    clock,
    log,
    signal,
    ready,
    async reconcile(name) {
      const volume = volumes.get(name);
      if (volume === undefined) return;
      try {
        await syncVolume({ client, events, claims, writes, enqueueClaim }, volume);
      } catch (error) {
        if (!isObjectGone(error, volume)) throw error;
      }
    },
  });
  const enqueuePending = (): void => {
    for (const claim of claims.list()) if (!isClaimBound(claim)) enqueueClaim(objectKey(claim));
  };
  const onVolume = ({ metadata, spec, status }: PersistentVolume): void => {
    volumeLoop.queue.add(metadata.name);
    const reference = spec?.claimRef;
    if (reference !== undefined) enqueueClaim(`${reference.namespace}/${reference.name}`);
    else if (status?.phase === 'Available') enqueuePending();
  };
  const onClaim = (claim: PersistentVolumeClaim): void => {
    const { volumeName = '' } = claim.spec ?? {};
    if (volumeName !== '') volumeLoop.queue.add(volumeName);
  };
  volumes.addHandler({
    onAdd: onVolume,
    onUpdate: (_old, next) => onVolume(next),
    onDelete: onVolume,
  });
  claims.addHandler({
    onAdd: (claim) => enqueueClaim(objectKey(claim)),
    onUpdate(_old, claim) {
      enqueueClaim(objectKey(claim));
      onClaim(claim);
    },
    onDelete: onClaim,
  });
  classes.addHandler({ onAdd: enqueuePending, onUpdate: enqueuePending });
  pods.addHandler({
    onAdd(pod) {
      for (const { name } of podClaims(pod)) {
        const key = `${pod.metadata.namespace}/${name}`;
        const claim = claims.get(key);
        // Claims that a pod owns are just being made, and are met by their own event.
        if (claim !== undefined && controllerOf(claim)?.kind !== 'Pod') enqueueClaim(key);
      }
    },
  });
  return Promise.all([claimLoop.done, volumeLoop.done]).then(() => undefined);
};
