import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder, Informer } from '#client/mod.ts';
import { isSameVolumeMode } from '#schema/volumes/mod.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '#schema/types.ts';
import type { BinderWrites } from './binder-writes.ts';

export const provisionedByAnnotation = 'pv.kubernetes.io/provisioned-by';

export interface VolumeSync {
  readonly client: Client;
  readonly events: EventRecorder;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly writes: BinderWrites;
  readonly enqueueClaim: (key: string) => void;
}

/** Brings the phase of a volume in line with the claim that it names. */
export async function syncVolume(sync: VolumeSync, volume: PersistentVolume): Promise<void> {
  const { writes, enqueueClaim } = sync;
  const reference = volume.spec?.claimRef;
  if (reference === undefined || (reference.uid ?? '') === '') {
    // Free, or reserved by name: the claim's own sync binds it.
    await writes.setVolumePhase(volume, 'Available');
    return;
  }
  const key = `${reference.namespace}/${reference.name}`;
  const claim = await claimOf(sync, key, reference.uid ?? '');
  if (claim === undefined) {
    await release(sync, volume);
    return;
  }
  const { volumeName = '' } = claim.spec ?? {};
  if (volumeName === '') {
    if (isSameVolumeMode(volume, claim)) enqueueClaim(key);
    else tellOfMode(sync, volume, claim);
  } else if (volumeName === volume.metadata.name) await writes.setVolumePhase(volume, 'Bound');
  else if (isProvisioned(volume) && policyOf(volume) === 'Delete') await release(sync, volume);
  else await writes.unbind(volume);
}

/** The claim's own sync would never take this volume, and would not say why. */
function tellOfMode(
  { events }: VolumeSync,
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): void {
  const ending = `to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`;
  const warn = (object: PersistentVolume | PersistentVolumeClaim, which: string): void =>
    events.event(
      object,
      'Warning',
      'VolumeMismatch',
      `Cannot bind PersistentVolume ${which}${ending}`,
    );
  warn(volume, '');
  warn(claim, `"${volume.metadata.name}" `);
}

function isProvisioned({ metadata }: PersistentVolume): boolean {
  return metadata.annotations?.[provisionedByAnnotation] !== undefined;
}

function policyOf({ spec }: PersistentVolume): string {
  return spec?.persistentVolumeReclaimPolicy ?? 'Retain';
}

/** The claim with this uid; the informer may be behind, so only the server says that it is gone. */
async function claimOf(
  { client, claims }: VolumeSync,
  key: string,
  uid: string,
): Promise<PersistentVolumeClaim | undefined> {
  const known = claims.get(key);
  if (known?.metadata.uid === uid) return known;
  const [namespace, name = ''] = key.split('/');
  try {
    const live = await client.get<PersistentVolumeClaim>(resources.persistentVolumeClaims, name, {
      namespace,
    });
    return live.metadata.uid === uid ? live : undefined;
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** The claim is gone: says so, and does what the reclaim policy wants. */
async function release({ events, writes }: VolumeSync, volume: PersistentVolume): Promise<void> {
  const isFailed = volume.status?.phase === 'Failed';
  const released = isFailed ? volume : await writes.setVolumePhase(volume, 'Released');
  const fail = async (reason: string, message: string): Promise<void> => {
    if (isFailed) return;
    await writes.setVolumePhase(released, 'Failed', message);
    events.event(volume, 'Warning', reason, message);
  };
  switch (policyOf(volume)) {
    case 'Delete':
      // Whoever provisioned it sees the phase and deletes it.
      if (isProvisioned(volume)) return;
      await fail(
        'VolumeFailedDelete',
        `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`,
      );
      return;
    case 'Recycle':
      await fail('VolumeFailedRecycle', 'No recycler plugin found for the volume!');
      return;
    default:
      return;
  }
}
