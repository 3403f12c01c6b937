import { createHash } from 'node:crypto';
import type { Informer } from '#client/mod.ts';
import { podClaims } from '#schema/volumes/mod.ts';
import type { CSIDriver, PersistentVolume, PersistentVolumeClaim, Pod } from '#schema/types.ts';

/** A volume of a CSI driver that has to be attached to the nodes of its pods. */
export interface Attachable {
  readonly volume: PersistentVolume;
  readonly driver: string;
  /** As in node.status: `kubernetes.io/csi/<driver>^<handle>`. */
  readonly uniqueName: string;
}

export interface AttachableSources {
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly drivers: Informer<CSIDriver>;
}

/** The volume as something to attach; undefined when nothing has to be. */
export function asAttachable(
  volume: PersistentVolume | undefined,
  drivers: Informer<CSIDriver>,
): Attachable | undefined {
  const csi = volume?.spec?.csi;
  if (volume === undefined || csi === undefined) return undefined;
  // Without a CSIDriver a driver is one that attaches, as upstream.
  if (drivers.get(csi.driver)?.spec.attachRequired === false) return undefined;
  const uniqueName = `kubernetes.io/csi/${csi.driver}^${csi.volumeHandle}`;
  return { volume, driver: csi.driver, uniqueName };
}

/** The attachable volumes that a pod's claims are bound to. */
export function attachablesOf(pod: Pod, sources: AttachableSources): Attachable[] {
  const { claims, volumes, drivers } = sources;
  return podClaims(pod).flatMap(({ name }) => {
    const claim = claims.get(`${pod.metadata.namespace}/${name}`);
    const { volumeName = '' } = claim?.spec ?? {};
    if (claim?.status?.phase !== 'Bound' || volumeName === '') return [];
    const attachable = asAttachable(volumes.get(volumeName), drivers);
    return attachable === undefined ? [] : [attachable];
  });
}

/** The name that the kubelet of the node looks for. */
export function attachmentName({ volume }: Attachable, nodeName: string): string {
  const { volumeHandle = '', driver = '' } = volume.spec?.csi ?? {};
  const hash = createHash('sha256').update(`${volumeHandle}${driver}${nodeName}`).digest('hex');
  return `csi-${hash}`;
}

/** Volumes that may be written from one node only. */
export function isForOneNode({ volume }: Attachable): boolean {
  const modes = volume.spec?.accessModes ?? [];
  return modes.length > 0 && !modes.includes('ReadWriteMany') && !modes.includes('ReadOnlyMany');
}
