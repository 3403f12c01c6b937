import { compareQuantity, parseQuantity } from '#base/quantity.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '#schema/types.ts';
import { claimNameOf, findBoundVolume } from './claims.ts';
import type { BoundVolume } from './claims.ts';
import type { CsiVolumes } from '../csi/mod.ts';
import type { TokenSource } from './tokens.ts';
import { VolumeError } from './volume-error.ts';

export interface GrowContext {
  readonly csi?: CsiVolumes | undefined;
  readonly client: Client;
  readonly tokens: TokenSource;
  readonly events: Pick<EventRecorder, 'event'>;
}

/**
 * For a mounted volume of a CSI driver: publishes it again where the driver wants that, and grows
 * its file system after its volume has grown. Nothing for other volumes.
 */
export async function refreshCsi(
  context: GrowContext,
  pod: Pod,
  volume: Volume,
  signal: AbortSignal,
): Promise<void> {
  const { csi, client } = context;
  if (csi === undefined) return;
  const request = { ...context, pod, signal };
  if (volume.csi !== undefined) {
    await csi.republish(volume, volume.csi.readOnly === true, request);
    return;
  }
  const claimName = claimNameOf(pod, volume);
  if (claimName === undefined) return;
  const { claim, persistentVolume, isReadOnly } = await findBoundVolume({
    client,
    pod,
    volume,
    claimName,
    signal,
  });
  if (persistentVolume.spec?.csi === undefined) return;
  await csi.republish(persistentVolume, isReadOnly, request);
  await growClaimed(context, pod, { claim, persistentVolume, isReadOnly }, signal);
}

/** Grows the file system of a volume that is larger than its claim knows, and tells the claim. */
export async function growClaimed(
  context: GrowContext,
  pod: Pod,
  { claim, persistentVolume }: BoundVolume,
  signal: AbortSignal,
): Promise<void> {
  const { csi, client } = context;
  if (csi === undefined || !hasGrown(claim, persistentVolume)) return;
  try {
    const bytes = await csi.expand(persistentVolume, { ...context, pod, signal });
    if (bytes === undefined) return;
    await markGrown(client, claim, persistentVolume, signal);
    const { name } = persistentVolume.metadata;
    const text = `MountVolume.NodeExpandVolume succeeded for volume "${name}" `;
    context.events.event(pod, 'Normal', 'FileSystemResizeSuccessful', text);
  } catch (error) {
    if (error instanceof VolumeError) error.volumeName = persistentVolume.metadata.name;
    throw error;
  }
}

function hasGrown({ status }: PersistentVolumeClaim, { spec }: PersistentVolume): boolean {
  const has = status?.capacity?.['storage'];
  const size = spec?.capacity?.['storage'];
  if (has === undefined || size === undefined) return false;
  return compareQuantity(parseQuantity(size), parseQuantity(has)) > 0;
}

/** The claim has what its volume has, and nothing is pending any more. */
async function markGrown(
  client: Client,
  claim: PersistentVolumeClaim,
  { spec }: PersistentVolume,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = claim.metadata;
  const { allocatedResourceStatuses, conditions, ...status } = claim.status ?? {};
  const { storage: _done, ...otherStatuses } = allocatedResourceStatuses ?? {};
  const pending = new Set(['Resizing', 'FileSystemResizePending', 'NodeResizeError']);
  const next = {
    ...claim,
    status: {
      ...status,
      capacity: { ...status.capacity, storage: spec?.capacity?.['storage'] ?? '' },
      conditions: conditions?.filter(({ type }) => !pending.has(type)),
      ...(Object.keys(otherStatuses).length === 0
        ? {}
        : { allocatedResourceStatuses: otherStatuses }),
    },
  };
  await client.update(resources.persistentVolumeClaims, next, {
    namespace,
    subresource: 'status',
    signal,
  });
}
