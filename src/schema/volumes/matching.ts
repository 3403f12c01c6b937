import { compareQuantity, parseQuantity, zeroQuantity } from '#base/quantity.ts';
import { compileNodeSelectorTerm } from '../pods/mod.ts';
import { labelSelectorFrom } from '../selectors/mod.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../types.ts';
import { claimClass, isVolumeBoundTo, volumeClass } from './binding.ts';

/** Whether pods on the node can use the volume: its node affinity. */
export function volumeReaches(volume: PersistentVolume, node: Node): boolean {
  const required = volume.spec?.nodeAffinity?.required;
  if (required === undefined) return true;
  return required.nodeSelectorTerms.some((term) => compileNodeSelectorTerm(term)(node));
}

/** Whether the volume is what the claim asks for, whoever has it now. */
export function volumeSuits(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (volumeClass(volume) !== claimClass(claim)) return false;
  const { spec } = claim;
  const wantedMode = spec?.volumeMode ?? 'Filesystem';
  if ((volume.spec?.volumeMode ?? 'Filesystem') !== wantedMode) return false;
  const wantedClass = spec?.volumeAttributesClassName ?? '';
  if ((volume.spec?.volumeAttributesClassName ?? '') !== wantedClass) return false;
  const modes = volume.spec?.accessModes ?? [];
  if ((spec?.accessModes ?? []).some((mode) => !modes.includes(mode))) return false;
  const wanted = spec?.resources?.requests?.['storage'];
  const isLargeEnough =
    compareQuantity(
      capacityOf(volume),
      wanted === undefined ? zeroQuantity : parseQuantity(wanted),
    ) >= 0;
  if (!isLargeEnough) return false;
  return (
    spec?.selector === undefined || labelSelectorFrom(spec.selector).matches(volume.metadata.labels)
  );
}

/**
 * The volume to bind the claim to: the one reserved for it, else the smallest free one that suits.
 * With a node only volumes that reach it; `isTaken` leaves out what others were promised. As
 * upstream's FindMatchingVolume: a reserved volume that does not reach the node is no match at all.
 */
export function findMatchingVolume(options: {
  claim: PersistentVolumeClaim;
  volumes: readonly PersistentVolume[];
  node?: Node | undefined;
  isTaken?: (volume: PersistentVolume) => boolean;
}): PersistentVolume | undefined {
  const { claim, volumes, node, isTaken = () => false } = options;
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp !== undefined || isTaken(volume)) continue;
    const isReserved = isVolumeBoundTo(volume, claim);
    if (!isReserved && volume.spec?.claimRef !== undefined) continue;
    const isReachable = node === undefined || volumeReaches(volume, node);
    if (isReserved) {
      if (!volumeSuits(volume, claim)) continue;
      return isReachable ? volume : undefined;
    }
    if (!isReachable || (volume.status?.phase ?? 'Available') !== 'Available') continue;
    if (!volumeSuits(volume, claim)) continue;
    if (best === undefined || compareQuantity(capacityOf(volume), capacityOf(best)) < 0) {
      best = volume;
    }
  }
  return best;
}

function capacityOf(volume: PersistentVolume) {
  const text = volume.spec?.capacity?.['storage'];
  return text === undefined ? zeroQuantity : parseQuantity(text);
}
