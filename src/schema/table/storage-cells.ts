import type {
  CSIDriver,
  CSINode,
  PersistentVolume,
  PersistentVolumeClaim,
  ResourceV1ResourceClaim,
  ResourceSlice,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../generated/types.ts';
import type { Cell } from './cell-text.ts';
import { accessModeText, age, none, unset } from './cell-text.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

export function persistentVolumeCells(volume: PersistentVolume, nowMs: number): Cell[] {
  const { metadata, spec, status } = volume;
  const claim = spec?.claimRef;
  return [
    metadata.name,
    spec?.capacity?.['storage'] ?? '',
    accessModeText(spec?.accessModes),
    spec?.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    claim === undefined ? '' : `${claim.namespace ?? ''}/${claim.name ?? ''}`,
    metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '',
    spec?.volumeAttributesClassName ?? unset,
    status?.reason ?? '',
    age(metadata.creationTimestamp, nowMs),
    spec?.volumeMode ?? unset,
  ];
}

export function persistentVolumeClaimCells(claim: PersistentVolumeClaim, nowMs: number): Cell[] {
  const { metadata, spec, status } = claim;
  const isBound = spec?.volumeName !== undefined && spec.volumeName !== '';
  return [
    metadata.name,
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    spec?.volumeName ?? '',
    isBound ? (status?.capacity?.['storage'] ?? '0') : '',
    isBound ? accessModeText(status?.accessModes) : '',
    metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '',
    spec?.volumeAttributesClassName ?? unset,
    age(metadata.creationTimestamp, nowMs),
    spec?.volumeMode ?? unset,
  ];
}

export function storageClassCells(object: StorageClass, nowMs: number): Cell[] {
  const { name, annotations, creationTimestamp } = object.metadata;
  const isDefault = ['storageclass.kubernetes.io', 'storageclass.beta.kubernetes.io'].some(
    (prefix) => annotations?.[`${prefix}/is-default-class`] === 'true',
  );
  return [
    isDefault ? `${name} (default)` : name,
    object.provisioner,
    object.reclaimPolicy ?? 'Delete',
    object.volumeBindingMode ?? 'Immediate',
    object.allowVolumeExpansion === true,
    age(creationTimestamp, nowMs),
  ];
}

export function volumeAttributesClassCells(object: VolumeAttributesClass, nowMs: number): Cell[] {
  const { name, creationTimestamp } = object.metadata;
  return [name, object.driverName, age(creationTimestamp, nowMs)];
}

export function volumeAttachmentCells(
  { metadata, spec, status }: VolumeAttachment,
  nowMs: number,
): Cell[] {
  return [
    metadata.name,
    spec.attacher,
    spec.source.persistentVolumeName ?? '',
    spec.nodeName,
    status?.attached === true,
    age(metadata.creationTimestamp, nowMs),
  ];
}

export function csiNodeCells({ metadata, spec }: CSINode, nowMs: number): Cell[] {
  return [metadata.name, spec.drivers?.length ?? 0, age(metadata.creationTimestamp, nowMs)];
}

export function csiDriverCells({ metadata, spec }: CSIDriver, nowMs: number): Cell[] {
  const audiences = (spec.tokenRequests ?? []).map((request) => request.audience);
  return [
    metadata.name,
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    audiences.length === 0 ? unset : audiences.join(','),
    spec.requiresRepublish ?? false,
    (spec.volumeLifecycleModes ?? []).join(',') || none,
    age(metadata.creationTimestamp, nowMs),
  ];
}

export function resourceClaimCells(
  { metadata, status }: ResourceV1ResourceClaim,
  nowMs: number,
): Cell[] {
  const states: string[] = [];
  const isDeleted = metadata.deletionTimestamp !== undefined;
  if (isDeleted) states.push('deleted');
  if (status?.allocation !== undefined) states.push('allocated');
  else if (!isDeleted) states.push('pending');
  if ((status?.reservedFor?.length ?? 0) > 0) states.push('reserved');
  return [metadata.name, states.join(','), age(metadata.creationTimestamp, nowMs)];
}

export function resourceSliceCells({ metadata, spec }: ResourceSlice, nowMs: number): Cell[] {
  return [
    metadata.name,
    spec.nodeName ?? '',
    spec.driver,
    spec.pool.name,
    age(metadata.creationTimestamp, nowMs),
  ];
}
