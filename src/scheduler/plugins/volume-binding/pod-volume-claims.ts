import type { PersistentVolumeClaim, Pod } from '#schema/types.ts';
import { claimClass, isClaimBound, podClaims } from '#schema/volumes/mod.ts';
import { unresolvable } from '../../framework/status.ts';
import type { Status } from '../../framework/status.ts';
import type { StorageLookups } from '../../framework/storage-lookups.ts';

/** The claims of one pod by what is to be done for them. */
export interface PodVolumeClaims {
  readonly bound: readonly PersistentVolumeClaim[];
  /** Wait for the pod's node: bound or provisioned for the node that is chosen. */
  readonly delayed: readonly PersistentVolumeClaim[];
}

/** Sorts the claims of a pod; a status when it cannot be placed whatever the node. */
export function podVolumeClaims(pod: Pod, storage: StorageLookups): PodVolumeClaims | Status {
  const { namespace = '' } = pod.metadata;
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  let hasImmediate = false;
  for (const { name, isEphemeral } of podClaims(pod)) {
    const claim = storage.claim(namespace, name);
    const problem = claim === undefined ? missing(name, isEphemeral) : claimProblem(claim);
    if (problem !== undefined || claim === undefined) return unresolvable(problem ?? '');
    if (isEphemeral && !isOwnedBy(claim, pod)) {
      const text = `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name}`;
      return unresolvable(`${text} (pod is not owner)`);
    }
    if (isClaimBound(claim)) bound.push(claim);
    else if (isDelayed(claim, storage) && (claim.spec?.volumeName ?? '') === '')
      delayed.push(claim);
    else hasImmediate = true;
  }
  if (hasImmediate) return unresolvable('pod has unbound immediate PersistentVolumeClaims');
  return { bound, delayed };
}

function missing(name: string, isEphemeral: boolean): string {
  return isEphemeral
    ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
    : `persistentvolumeclaim "${name}" not found`;
}

function claimProblem(claim: PersistentVolumeClaim): string | undefined {
  const { name } = claim.metadata;
  if (claim.status?.phase === 'Lost') {
    const volume = claim.spec?.volumeName ?? '';
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${volume}"`;
  }
  if (claim.metadata.deletionTimestamp !== undefined) {
    return `persistentvolumeclaim "${name}" is being deleted`;
  }
  return undefined;
}

function isDelayed(claim: PersistentVolumeClaim, storage: StorageLookups): boolean {
  const found = storage.storageClass(claimClass(claim));
  return found?.volumeBindingMode === 'WaitForFirstConsumer';
}

function isOwnedBy(claim: PersistentVolumeClaim, pod: Pod): boolean {
  const { ownerReferences = [] } = claim.metadata;
  return ownerReferences.some(
    ({ uid, controller }) => controller === true && uid === pod.metadata.uid,
  );
}
