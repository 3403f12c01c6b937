import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import {
  bindCompletedAnnotation,
  boundByControllerAnnotation,
  isVolumeBoundTo,
} from '#schema/volumes/mod.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';

/** The writes of the binder; each does nothing when nothing would change. */
export interface BinderWrites {
  setVolumePhase(
    volume: PersistentVolume,
    phase: string,
    message?: string,
  ): Promise<PersistentVolume>;
  /** Sets phase, and what the claim has got of its volume. Answers whether anything changed. */
  setClaimPhase(
    claim: PersistentVolumeClaim,
    phase: string,
    volume?: PersistentVolume,
  ): Promise<boolean>;
  /** Binds both to each other, in an order that each step can be taken up from. */
  bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void>;
  /** Takes the claim out of a volume, or only its uid when somebody reserved it by name. */
  unbind(volume: PersistentVolume): Promise<void>;
}

export function createBinderWrites({
  client,
  clock,
}: {
  client: Client;
  clock: Clock;
}): BinderWrites {
  const setVolumePhase: BinderWrites['setVolumePhase'] = async (volume, phase, message) => {
    const { status = {} } = volume;
    if (status.phase === phase && (status.message ?? '') === (message ?? '')) return volume;
    const lastPhaseTransitionTime =
      status.phase === phase ? status.lastPhaseTransitionTime : formatTime(clock.now());
    const next = { ...volume, status: { ...status, phase, message, lastPhaseTransitionTime } };
    const options = { subresource: 'status' };
    return await client.update(resources.persistentVolumes, next, options);
  };
  const setClaimPhase: BinderWrites['setClaimPhase'] = async (claim, phase, volume) => {
    const { status = {} } = claim;
    const { accessModes, capacity, volumeAttributesClassName } = volume?.spec ?? {};
    const isKept = status.phase === 'Bound' && status.capacity !== undefined;
    const next = {
      ...status,
      phase,
      accessModes,
      // A bound claim's size is what its file system has: whoever grows it says so.
      capacity: volume === undefined ? undefined : isKept ? status.capacity : capacity,
      ...(volumeAttributesClassName === undefined
        ? {}
        : { currentVolumeAttributesClassName: volumeAttributesClassName }),
    };
    if (isSameJson(status, next)) return false;
    const { namespace } = claim.metadata;
    const options = { namespace, subresource: 'status' };
    await client.update(resources.persistentVolumeClaims, { ...claim, status: next }, options);
    return true;
  };
  const reserve = async (
    volume: PersistentVolume,
    claim: PersistentVolumeClaim,
  ): Promise<PersistentVolume> => {
    const { namespace, name, uid, resourceVersion } = claim.metadata;
    const { claimRef } = volume.spec ?? {};
    if (isVolumeBoundTo(volume, claim) && claimRef?.uid === uid) return volume;
    const isOurs = !isVolumeBoundTo(volume, claim);
    const annotations = isOurs
      ? { ...volume.metadata.annotations, [boundByControllerAnnotation]: 'yes' }
      : volume.metadata.annotations;
    const next = {
      ...volume,
      metadata: { ...volume.metadata, annotations },
      spec: {
        ...volume.spec,
        claimRef: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          namespace,
          name,
          uid,
          resourceVersion,
        },
      },
    };
    return await client.update<PersistentVolume>(resources.persistentVolumes, next);
  };
  const complete = async (
    claim: PersistentVolumeClaim,
    volumeName: string,
  ): Promise<PersistentVolumeClaim> => {
    const isOurs = (claim.spec?.volumeName ?? '') === '';
    const isCompleted = claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined;
    if (!isOurs && isCompleted) return claim;
    const annotations = {
      ...claim.metadata.annotations,
      ...(isOurs ? { [boundByControllerAnnotation]: 'yes' } : {}),
      [bindCompletedAnnotation]: 'yes',
    };
    const next = {
      ...claim,
      metadata: { ...claim.metadata, annotations },
      spec: { ...claim.spec, volumeName },
    };
    const { namespace } = claim.metadata;
    return await client.update(resources.persistentVolumeClaims, next, { namespace });
  };
  return {
    setVolumePhase,
    setClaimPhase,
    async bind(volume, claim) {
      const reserved = await reserve(volume, claim);
      const bound = await setVolumePhase(reserved, 'Bound');
      const completed = await complete(claim, bound.metadata.name);
      await setClaimPhase(completed, 'Bound', bound);
    },
    async unbind(volume) {
      const { [boundByControllerAnnotation]: isOurs, ...others } =
        volume.metadata.annotations ?? {};
      const { claimRef, ...spec } = volume.spec ?? {};
      const next =
        isOurs === undefined
          ? { ...volume, spec: { ...spec, claimRef: { ...claimRef, uid: undefined } } }
          : { ...volume, metadata: { ...volume.metadata, annotations: others }, spec };
      const written = await client.update<PersistentVolume>(resources.persistentVolumes, next);
      await setVolumePhase(written, 'Available');
    },
  };
}
