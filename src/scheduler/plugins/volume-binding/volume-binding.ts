import type { Clock } from '#base/clock.ts';
import type { Client } from '#client/mod.ts';
import { claimKeyOf, podClaims } from '#schema/volumes/mod.ts';
import type { Plugin } from '../../framework/plugin.ts';
import { skip, unresolvable } from '../../framework/status.ts';
import type { StorageLookups } from '../../framework/storage-lookups.ts';
import { bindVolumes } from './bind-volumes.ts';
import { findVolumes } from './find-volumes.ts';
import type { NodeVolumes } from './find-volumes.ts';
import { podVolumeClaims } from './pod-volume-claims.ts';
import type { PodVolumeClaims } from './pod-volume-claims.ts';
import { usesChangedClaim } from '../uses-changed-claim.ts';

const claimsKey = 'VolumeBinding/claims';
const byNodeKey = 'VolumeBinding/byNode';

/** VolumeBindingArgs: how long PreBind waits for claims to be bound. */
export interface VolumeBindingArgs {
  readonly bindTimeoutSeconds?: number | undefined;
}

/**
 * Nodes where the pod's claims have, or can get, their volumes. Claims of WaitForFirstConsumer
 * classes are bound here: the volume is reserved or the node written into the claim in PreBind.
 */
export function createVolumeBinding(
  parts: { client: Client; storage: StorageLookups; clock: Clock },
  args: VolumeBindingArgs = {},
): Plugin {
  const { client, storage, clock } = parts;
  const timeoutMs = (args.bindTimeoutSeconds ?? 600) * 1000;
  const promised = new Map<string, string>();
  const release = ({ bindings }: NodeVolumes): void => {
    for (const { claim, volume } of bindings) {
      if (promised.get(volume.metadata.name) === claimKeyOf(claim)) {
        promised.delete(volume.metadata.name);
      }
    }
  };
  return {
    name: 'VolumeBinding',
    retryOn: ['Storage/Update', 'Node/Add', 'Node/UpdateLabel', 'AssignedPod/Delete'],
    isHelpedBy: usesChangedClaim,
    preFilter(state, { pod }) {
      if (podClaims(pod).length === 0) return { status: skip };
      const claims = podVolumeClaims(pod, storage);
      if ('code' in claims) return { status: claims };
      state.set(claimsKey, claims);
      state.set(byNodeKey, new Map<string, NodeVolumes>());
      return undefined;
    },
    filter(state, _pod, { node }) {
      const claims = state.get(claimsKey) as PodVolumeClaims;
      const found = findVolumes({ claims, node, storage, promised });
      if (!('bindings' in found)) return unresolvable(...found);
      (state.get(byNodeKey) as Map<string, NodeVolumes>).set(node.metadata.name, found);
      return undefined;
    },
    reserve(state, _pod, nodeName) {
      const volumes = volumesOn(state, nodeName);
      for (const { claim, volume } of volumes?.bindings ?? []) {
        promised.set(volume.metadata.name, claimKeyOf(claim));
      }
      return undefined;
    },
    unreserve(state, _pod, nodeName) {
      const volumes = volumesOn(state, nodeName);
      if (volumes !== undefined) release(volumes);
    },
    preBindPreFlight: (state, _pod, nodeName) => hasWork(volumesOn(state, nodeName)),
    async preBind(state, _pod, nodeName) {
      const volumes = volumesOn(state, nodeName);
      if (volumes === undefined || !hasWork(volumes)) return undefined;
      const status = await bindVolumes({ volumes, nodeName, client, storage, clock, timeoutMs });
      if (status === undefined) release(volumes);
      return status;
    },
  };
}

function hasWork(volumes: NodeVolumes | undefined): boolean {
  return volumes !== undefined && volumes.bindings.length + volumes.provisionings.length > 0;
}

function volumesOn(state: ReadonlyMap<string, unknown>, nodeName: string): NodeVolumes | undefined {
  return (state.get(byNodeKey) as ReadonlyMap<string, NodeVolumes> | undefined)?.get(nodeName);
}
