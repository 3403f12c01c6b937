import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { resources, type Client } from '#client/mod.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '#schema/types.ts';
import { containersOf, namespaceOf, uidOf } from '../pods/names.ts';
import { VolumeError } from './volume-error.ts';

/** The persistent volume behind a pod's volume. */
export interface BoundVolume {
  readonly claim: PersistentVolumeClaim;
  readonly persistentVolume: PersistentVolume;
  readonly isReadOnly: boolean;
}

/**
 * A claim that cannot be used (yet); its text is upstream's, behind `failed to process volumes`.
 */
export class ClaimError extends VolumeError {}

/** The claim that a volume is about: named, or the one made for an ephemeral volume. */
export function claimNameOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim !== undefined) return volume.persistentVolumeClaim.claimName;
  if (volume.ephemeral !== undefined) return `${pod.metadata.name}-${volume.name}`;
  return undefined;
}

/**
 * Follows a claim to its volume. Throws ClaimError while it is missing, going away or not bound.
 */
export async function findBoundVolume(options: {
  client: Client;
  pod: Pod;
  volume: Volume;
  claimName: string;
  signal: AbortSignal;
}): Promise<BoundVolume> {
  const { client, pod, volume, claimName, signal } = options;
  const namespace = namespaceOf(pod);
  const fail = (text: string, cause?: unknown): ClaimError =>
    new ClaimError(`error processing PVC ${namespace}/${claimName}: ${text}`, { cause });
  let claim: PersistentVolumeClaim;
  try {
    claim = await client.get(resources.persistentVolumeClaims, claimName, { namespace, signal });
  } catch (error) {
    const text = hasReason(error, 'NotFound')
      ? `persistentvolumeclaim "${claimName}" not found`
      : messageOf(error);
    throw fail(`failed to fetch PVC from API server: ${text}`, error);
  }
  if (claim.metadata.deletionTimestamp !== undefined) {
    throw fail('PVC is being deleted');
  }
  const isOwned = claim.metadata.ownerReferences?.some(({ uid }) => uid === uidOf(pod)) ?? false;
  if (volume.ephemeral !== undefined && !isOwned) {
    throw fail(
      `PVC ${namespace}/${claimName} was not created for pod ` +
        `${namespace}/${pod.metadata.name} (pod is not owner)`,
    );
  }
  const volumeName = claim.spec?.volumeName ?? '';
  if (claim.status?.phase !== 'Bound' || volumeName === '') throw fail('PVC is not bound');
  const persistentVolume = await findVolume(client, volumeName, claim, signal).catch(
    (error: unknown) => {
      throw new ClaimError(messageOf(error), { cause: error });
    },
  );
  checkMode(pod, volume.name, persistentVolume);
  return {
    claim,
    persistentVolume,
    isReadOnly: volume.persistentVolumeClaim?.readOnly === true,
  };
}

/** Containers mount file systems and get block volumes as devices. */
function checkMode(pod: Pod, name: string, { spec }: PersistentVolume): void {
  const isBlock = spec?.volumeMode === 'Block';
  const isUsed = (key: 'volumeMounts' | 'volumeDevices'): boolean =>
    containersOf(pod).some(({ container }) => container[key]?.some((use) => use.name === name));
  const wrong = isBlock ? 'volumeMounts' : 'volumeDevices';
  if (!isUsed(wrong)) return;
  const mode = isBlock ? 'Block' : 'Filesystem';
  throw new ClaimError(`volume ${name} has volumeMode ${mode}, but is specified in ${wrong}`);
}

async function findVolume(
  client: Client,
  name: string,
  claim: PersistentVolumeClaim,
  signal: AbortSignal,
): Promise<PersistentVolume> {
  let volume: PersistentVolume;
  try {
    volume = await client.get(resources.persistentVolumes, name, { signal });
  } catch (error) {
    throw new VolumeError(`failed to fetch PV ${name} from API server: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const reference = volume.spec?.claimRef;
  if (reference === undefined) {
    throw new VolumeError(`found PV object ${name} but its pv.Spec.ClaimRef is nil`);
  }
  if (reference.uid !== claim.metadata.uid) {
    throw new VolumeError(
      `found PV object ${name} but its pv.Spec.ClaimRef.UID ${reference.uid} ` +
        `does not point to claim.UID ${claim.metadata.uid}`,
    );
  }
  return volume;
}
