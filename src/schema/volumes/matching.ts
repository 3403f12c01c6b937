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

/**
 * Which of the claim's wishes the volume does not meet, in upstream's words; undefined when it meets
 * them all. The claim's selector is not asked: who names a volume means that one.
 */
export function volumeMisfit(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined) {
    return `the volume is marked for deletion "${volume.metadata.name}"`;
  }
  if (isTooSmall(volume, claim)) return 'requested PV is too small';
  if (volumeClass(volume) !== claimClass(claim)) return 'storageClassName does not match';
  if (!isSameAttributesClass(volume, claim)) return 'volumeAttributesClassName does not match';
  if (!isSameVolumeMode(volume, claim)) return 'incompatible volumeMode';
  return hasAccessModes(volume, claim) ? undefined : 'incompatible accessMode';
}

function isTooSmall(volume: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  const text = spec?.resources?.requests?.['storage'];
  const wanted = text === undefined ? zeroQuantity : parseQuantity(text);
  return compareQuantity(capacityOf(volume), wanted) < 0;
}

function isSameAttributesClass(volume: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  const { volumeAttributesClassName = '' } = volume.spec ?? {};
  return volumeAttributesClassName === (spec?.volumeAttributesClassName ?? '');
}

/** Both of files, or both of blocks. */
export function isSameVolumeMode(
  volume: PersistentVolume,
  { spec }: PersistentVolumeClaim,
): boolean {
  return (volume.spec?.volumeMode ?? 'Filesystem') === (spec?.volumeMode ?? 'Filesystem');
}

function hasAccessModes(volume: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  const modes = volume.spec?.accessModes ?? [];
  return (spec?.accessModes ?? []).every((mode) => modes.includes(mode));
}

interface Search {
  readonly claim: PersistentVolumeClaim;
  readonly volumes: readonly PersistentVolume[];
  readonly node?: Node | undefined;
  /** The scheduler has yet to choose a node: only a volume that is reserved for the claim will do. */
  readonly isDelayed?: boolean | undefined;
  readonly isTaken?: (volume: PersistentVolume) => boolean;
}

/**
 * The volume to bind the claim to: the one reserved for it, else the smallest free one that suits.
 * With a node only volumes that reach it; `isTaken` leaves out what others were promised. As
 * upstream's FindMatchingVolume: a reserved volume that does not reach the node is no match at all,
 * and its class and labels are not asked.
 */
export function findMatchingVolume(search: Search): PersistentVolume | undefined {
  const { claim, volumes, node, isDelayed = false, isTaken = () => false } = search;
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp !== undefined || isTaken(volume)) continue;
    const isReserved = isVolumeBoundTo(volume, claim);
    if (!isReserved && (volume.spec?.claimRef !== undefined || isDelayed)) continue;
    if (isTooSmall(volume, claim) || !isSameVolumeMode(volume, claim)) continue;
    if (!isSameAttributesClass(volume, claim)) continue;
    const isReachable = node === undefined || volumeReaches(volume, node);
    if (isReserved) return isReachable ? volume : undefined;
    if (!isReachable || (volume.status?.phase ?? 'Available') !== 'Available') continue;
    if (volumeClass(volume) !== claimClass(claim) || !hasAccessModes(volume, claim)) continue;
    if (!isSelected(volume, claim)) continue;
    if (best === undefined || compareQuantity(capacityOf(volume), capacityOf(best)) < 0) {
      best = volume;
    }
  }
  return best;
}

function isSelected({ metadata }: PersistentVolume, { spec }: PersistentVolumeClaim): boolean {
  return spec?.selector === undefined || labelSelectorFrom(spec.selector).matches(metadata.labels);
}

/**
 * The same for the binder, which as upstream's first looks among the volumes with the fewest access
 * modes: a volume that can do more than is asked is kept for those who need it.
 */
export function findPlainestVolume(search: Search): PersistentVolume | undefined {
  const groups = new Map<number, PersistentVolume[]>();
  for (const volume of search.volumes) {
    if (!hasAccessModes(volume, search.claim)) continue;
    const count = volume.spec?.accessModes?.length ?? 0;
    const group = groups.get(count);
    if (group === undefined) groups.set(count, [volume]);
    else group.push(volume);
  }
  for (const count of [...groups.keys()].sort((a, b) => a - b)) {
    const found = findMatchingVolume({ ...search, volumes: groups.get(count) ?? [] });
    if (found !== undefined) return found;
  }
  return undefined;
}

function capacityOf(volume: PersistentVolume) {
  const text = volume.spec?.capacity?.['storage'];
  return text === undefined ? zeroQuantity : parseQuantity(text);
}
