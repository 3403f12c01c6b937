import type { Pod } from '#schema/types.ts';
import { claimClass, podClaims } from '#schema/volumes/mod.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip, unschedulable } from '../framework/status.ts';
import type { StorageLookups } from '../framework/storage-lookups.ts';
import { usesChangedClaim } from './uses-changed-claim.ts';

export const reason = 'node(s) exceed max volume count';

const stateKey = 'NodeVolumeLimits/volumes';

/** CSI drivers say how many volumes a node can have (CSINode); a volume shared by pods counts once. */
export function createNodeVolumeLimits(storage: StorageLookups): Plugin {
  return {
    name: 'NodeVolumeLimits',
    retryOn: ['AssignedPod/Delete', 'Storage/Update', 'Node/Add'],
    isHelpedBy: usesChangedClaim,
    preFilter(state, { pod }) {
      const volumes = volumesOf(pod, storage);
      if (volumes.size === 0) return { status: skip };
      state.set(stateKey, volumes);
      return undefined;
    },
    filter(state, _pod, node) {
      const limits = limitsOf(node, storage);
      if (limits.size === 0) return undefined;
      const wanted = state.get(stateKey) as ReadonlyMap<string, string>;
      const used = new Map<string, string>();
      for (const { pod } of node.pods.values()) {
        for (const [volume, driver] of volumesOf(pod, storage)) used.set(volume, driver);
      }
      // Volumes of pods that are gone stay attached for a while.
      for (const [volume, driver] of attachedTo(node, storage)) used.set(volume, driver);
      const counts = new Map<string, number>();
      for (const driver of used.values()) counts.set(driver, (counts.get(driver) ?? 0) + 1);
      for (const [volume, driver] of wanted) {
        const limit = limits.get(driver);
        if (used.has(volume) || limit === undefined) continue;
        const count = (counts.get(driver) ?? 0) + 1;
        if (count > limit) return unschedulable(reason);
        counts.set(driver, count);
      }
      return undefined;
    },
  };
}

function limitsOf(node: NodeInfo, storage: StorageLookups): Map<string, number> {
  const limits = new Map<string, number>();
  for (const { name, allocatable } of storage.csiNode(node.name)?.spec.drivers ?? []) {
    if (allocatable?.count !== undefined) limits.set(name, allocatable.count);
  }
  return limits;
}

/** CSI volumes that are attached to a node: driver by volume. */
function attachedTo({ name }: NodeInfo, storage: StorageLookups): Map<string, string> {
  const volumes = new Map<string, string>();
  for (const { spec } of storage.attachments(name)) {
    const csi = storage.volume(spec.source.persistentVolumeName ?? '')?.spec?.csi;
    if (csi !== undefined) volumes.set(`${spec.attacher}/${csi.volumeHandle}`, spec.attacher);
  }
  return volumes;
}

/** CSI volumes of a pod: driver by volume. A claim without volume counts for its class' driver. */
function volumesOf(pod: Pod, storage: StorageLookups): Map<string, string> {
  const { namespace = '' } = pod.metadata;
  const volumes = new Map<string, string>();
  for (const { name } of podClaims(pod)) {
    const claim = storage.claim(namespace, name);
    if (claim === undefined) continue;
    const csi = storage.volume(claim.spec?.volumeName ?? '')?.spec?.csi;
    if (csi !== undefined) {
      volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
      continue;
    }
    if ((claim.spec?.volumeName ?? '') !== '') continue;
    const provisioner = storage.storageClass(claimClass(claim))?.provisioner;
    if (provisioner !== undefined) volumes.set(`claim/${namespace}/${name}`, provisioner);
  }
  return volumes;
}
