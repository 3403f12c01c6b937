import { compareQuantity, parseQuantity } from '#base/quantity.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from '#schema/types.ts';
import {
  claimClass,
  claimKeyOf,
  findMatchingVolume,
  selectedNodeAnnotation,
  volumeReaches,
} from '#schema/volumes/mod.ts';
import type { StorageLookups } from '../../framework/storage-lookups.ts';
import type { PodVolumeClaims } from './pod-volume-claims.ts';

export const nodeConflictReason = "node(s) didn't match PersistentVolume's node affinity";
export const bindConflictReason = "node(s) didn't find available persistent volumes to bind";
export const noSpaceReason = 'node(s) did not have enough free storage';
export const missingVolumeReason =
  'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';

/** What has to be done before the pod can run on one node. */
export interface NodeVolumes {
  readonly bindings: readonly { claim: PersistentVolumeClaim; volume: PersistentVolume }[];
  readonly provisionings: readonly PersistentVolumeClaim[];
}

/** The volumes of a pod on one node, or the reasons why it cannot have them there. */
export function findVolumes(options: {
  claims: PodVolumeClaims;
  node: Node;
  storage: StorageLookups;
  /** Volumes promised to other claims whose binding is not stored yet: claim key by name. */
  promised: ReadonlyMap<string, string>;
}): NodeVolumes | readonly string[] {
  const { claims, node, storage, promised } = options;
  const reasons = new Set<string>();
  for (const claim of claims.bound) {
    const volume = storage.volume(claim.spec?.volumeName ?? '');
    if (volume === undefined) reasons.add(missingVolumeReason);
    else if (!volumeReaches(volume, node)) reasons.add(nodeConflictReason);
  }
  const bindings: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provisionings: PersistentVolumeClaim[] = [];
  const chosen = new Set<string>();
  for (const claim of claims.delayed) {
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
    if (selected !== undefined && selected !== '') {
      if (selected === node.metadata.name) provisionings.push(claim);
      else reasons.add(bindConflictReason);
      continue;
    }
    const key = claimKeyOf(claim);
    const volume = findMatchingVolume({
      claim,
      node,
      volumes: storage.volumesOfClass(claimClass(claim)),
      isTaken: ({ metadata: { name } }) =>
        chosen.has(name) || (promised.has(name) && promised.get(name) !== key),
    });
    if (volume !== undefined) {
      chosen.add(volume.metadata.name);
      bindings.push({ claim, volume });
      continue;
    }
    const problem = provisioningProblem(claim, node, storage);
    if (problem === undefined) provisionings.push(claim);
    else reasons.add(problem);
  }
  return reasons.size > 0 ? [...reasons] : { bindings, provisionings };
}

/** Why the class can make no volume for the claim on this node. */
function provisioningProblem(
  claim: PersistentVolumeClaim,
  node: Node,
  storage: StorageLookups,
): string | undefined {
  const found = storage.storageClass(claimClass(claim));
  const provisioner = found?.provisioner ?? '';
  if (found === undefined || provisioner === '' || provisioner === 'kubernetes.io/no-provisioner') {
    return bindConflictReason;
  }
  if (!isAllowed(found, node)) return bindConflictReason;
  return hasCapacity(claim, found, node, storage) ? undefined : noSpaceReason;
}

function isAllowed({ allowedTopologies = [] }: StorageClass, node: Node): boolean {
  if (allowedTopologies.length === 0) return true;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => {
      const value = node.metadata.labels?.[key];
      return value !== undefined && values.includes(value);
    }),
  );
}

/** Only drivers that publish capacities are asked for them. */
function hasCapacity(
  claim: PersistentVolumeClaim,
  { provisioner, metadata: { name } }: StorageClass,
  node: Node,
  storage: StorageLookups,
): boolean {
  const wanted = claim.spec?.resources?.requests?.['storage'];
  if (wanted === undefined) return true;
  if (storage.csiDriver(provisioner)?.spec.storageCapacity !== true) return true;
  const size = parseQuantity(wanted);
  return storage.capacities(name).some(({ capacity, maximumVolumeSize, nodeTopology }) => {
    const limit = maximumVolumeSize ?? capacity;
    if (limit === undefined || compareQuantity(parseQuantity(limit), size) < 0) return false;
    return (
      nodeTopology !== undefined && labelSelectorFrom(nodeTopology).matches(node.metadata.labels)
    );
  });
}
