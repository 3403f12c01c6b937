import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../types.ts';

export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
export const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed';
export const boundByControllerAnnotation = 'pv.kubernetes.io/bound-by-controller';
/** Names the class in objects from before the field; wins over it, as upstream. */
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

export function claimClass(claim: PersistentVolumeClaim): string {
  return claim.metadata.annotations?.[classAnnotation] ?? claim.spec?.storageClassName ?? '';
}

export function volumeClass(volume: PersistentVolume): string {
  return volume.metadata.annotations?.[classAnnotation] ?? volume.spec?.storageClassName ?? '';
}

export function claimKeyOf(claim: PersistentVolumeClaim): string {
  return `${claim.metadata.namespace ?? ''}/${claim.metadata.name}`;
}

/** The claim has a volume and the binder is done with it. */
export function isClaimBound(claim: PersistentVolumeClaim): boolean {
  const isCompleted = claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined;
  return (claim.spec?.volumeName ?? '') !== '' && isCompleted;
}

/** The volume is reserved for this claim; one without uid is reserved by name for whoever comes. */
export function isVolumeBoundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const ref = volume.spec?.claimRef;
  if (ref === undefined) return false;
  if (ref.name !== claim.metadata.name || ref.namespace !== claim.metadata.namespace) return false;
  return (ref.uid ?? '') === '' || ref.uid === claim.metadata.uid;
}

/** A claim that a pod's volume names; `isEphemeral` ones belong to the pod and are made for it. */
export interface PodClaim {
  readonly name: string;
  readonly isEphemeral: boolean;
}

export function podClaims(pod: Pod): PodClaim[] {
  return (pod.spec?.volumes ?? []).flatMap((volume): PodClaim[] => {
    if (volume.persistentVolumeClaim !== undefined) {
      return [{ name: volume.persistentVolumeClaim.claimName, isEphemeral: false }];
    }
    if (volume.ephemeral === undefined) return [];
    return [{ name: `${pod.metadata.name}-${volume.name}`, isEphemeral: true }];
  });
}
