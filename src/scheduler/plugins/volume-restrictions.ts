import type { Pod, Volume } from '#schema/types.ts';
import { podClaims } from '#schema/volumes/mod.ts';
import type { PodInfo } from '../framework/node-info.ts';
import type { Plugin, Snapshot } from '../framework/plugin.ts';
import { skip, unschedulable } from '../framework/status.ts';
import type { StorageLookups } from '../framework/storage-lookups.ts';
import { usesChangedClaim } from './uses-changed-claim.ts';

export const diskReason = 'node(s) had no available disk';
export const exclusiveReason =
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode ' +
  'already in-use by another pod';

const stateKey = 'VolumeRestrictions/conflicts';

/** Uses of the pod's ReadWriteOncePod claims by other pods, wherever they run. */
class ExclusiveUses {
  readonly claims: ReadonlySet<string>;
  uses: number;

  constructor(claims: ReadonlySet<string>, uses: number) {
    this.claims = claims;
    this.uses = uses;
  }

  clone(): ExclusiveUses {
    return new ExclusiveUses(this.claims, this.uses);
  }
}

/** Claims for one pod only, and disks of old volume types that one node can have only once. */
export function createVolumeRestrictions(storage: StorageLookups): Plugin {
  const exclusiveClaims = ({ pod }: PodInfo): Set<string> => {
    const { namespace = '' } = pod.metadata;
    const names = podClaims(pod).map(({ name }) => name);
    return new Set(
      names.filter((name) =>
        storage.claim(namespace, name)?.spec?.accessModes?.includes('ReadWriteOncePod'),
      ),
    );
  };
  const change = (
    state: ReadonlyMap<string, unknown>,
    pod: PodInfo,
    other: PodInfo,
    by: number,
  ) => {
    const found = state.get(stateKey) as ExclusiveUses;
    if (other.pod.metadata.namespace !== pod.pod.metadata.namespace) return;
    for (const { name } of podClaims(other.pod)) if (found.claims.has(name)) found.uses += by;
  };
  return {
    name: 'VolumeRestrictions',
    retryOn: ['AssignedPod/Delete', 'Storage/Update', 'Node/Add'],
    isHelpedBy: usesChangedClaim,
    preFilter(state, pod, snapshot) {
      const claims = exclusiveClaims(pod);
      if (claims.size === 0 && disksOf(pod.pod).length === 0) return { status: skip };
      state.set(stateKey, new ExclusiveUses(claims, countUses(pod.pod, claims, snapshot)));
      return undefined;
    },
    addPod: (state, pod, added) => change(state, pod, added, 1),
    removePod: (state, pod, removed) => change(state, pod, removed, -1),
    filter(state, pod, node) {
      const disks = disksOf(pod.pod);
      if (disks.length > 0) {
        for (const other of node.pods.values()) {
          const theirs = disksOf(other.pod);
          if (disks.some((disk) => theirs.some((one) => disksConflict(disk, one)))) {
            return unschedulable(diskReason);
          }
        }
      }
      const { uses } = state.get(stateKey) as ExclusiveUses;
      return uses > 0 ? unschedulable(exclusiveReason) : undefined;
    },
  };
}

function countUses(pod: Pod, claims: ReadonlySet<string>, snapshot: Snapshot): number {
  const { namespace = '' } = pod.metadata;
  let uses = 0;
  for (const name of claims) {
    const byNode = snapshot.countPods(`claim|${namespace}/${name}`, namespace, (other) =>
      podClaims(other).some((claim) => claim.name === name),
    );
    for (const count of byNode.values()) uses += count;
  }
  return uses;
}

interface Disk {
  readonly id: string;
  readonly isReadOnly: boolean;
  /** EBS volumes conflict even when both sides only read. */
  readonly isAlwaysExclusive: boolean;
}

function disksOf(pod: Pod): Disk[] {
  return (pod.spec?.volumes ?? []).flatMap(diskOf);
}

function diskOf(volume: Volume): Disk[] {
  const { gcePersistentDisk, awsElasticBlockStore, iscsi, rbd } = volume;
  if (gcePersistentDisk !== undefined) {
    return [disk(`gce|${gcePersistentDisk.pdName}`, gcePersistentDisk.readOnly)];
  }
  if (awsElasticBlockStore !== undefined) {
    return [disk(`aws|${awsElasticBlockStore.volumeID}`, false, true)];
  }
  if (iscsi !== undefined) return [disk(`iscsi|${iscsi.iqn}`, iscsi.readOnly)];
  if (rbd === undefined) return [];
  const pool = rbd.pool ?? 'rbd';
  return rbd.monitors.map((monitor) => disk(`rbd|${monitor}|${pool}|${rbd.image}`, rbd.readOnly));
}

function disk(id: string, isReadOnly = false, isAlwaysExclusive = false): Disk {
  return { id, isReadOnly, isAlwaysExclusive };
}

function disksConflict(a: Disk, b: Disk): boolean {
  if (a.id !== b.id) return false;
  return a.isAlwaysExclusive || !a.isReadOnly || !b.isReadOnly;
}
