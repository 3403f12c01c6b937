import type { CSIDriver, PersistentVolume, Pod, SecretReference, Volume } from '#schema/types.ts';
import { namespaceOf, specOf, uidOf } from '../pods/names.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import { attachmentName, inlineHandle } from './csi-paths.ts';

/** Everything about one volume in one pod, wherever it was written. */
export interface VolumePlan {
  readonly driverName: string;
  readonly handle: string;
  /** Name of the PersistentVolume, or of the pod's volume. */
  readonly specName: string;
  readonly podUid: string;
  /** Absent for a volume that lives and ends with its pod. */
  readonly volume: PersistentVolume | undefined;
  readonly isBlock: boolean;
  readonly isReadOnly: boolean;
  readonly fsType: string;
  readonly mountFlags: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  /** undefined: nothing has to be attached. */
  readonly attachmentName: string | undefined;
  readonly stageSecret: SecretReference | undefined;
  readonly publishSecret: SecretReference | undefined;
}

/** What tells volumes apart on a node: the same handle is staged once. */
export const volumeKey = (driverName: string, handle: string): string => `${driverName}^${handle}`;

export function planPersistent(options: {
  pod: Pod;
  volume: PersistentVolume;
  isReadOnly: boolean;
  driver: CSIDriver;
  nodeName: string;
}): VolumePlan {
  const { pod, volume, driver, nodeName } = options;
  const { spec = {} } = volume;
  const { csi } = spec;
  if (csi === undefined) throw new VolumeError('the volume has no CSI source');
  const { driver: driverName, volumeHandle: handle } = csi;
  checkLifecycle(driver, 'Persistent');
  return {
    driverName,
    handle,
    specName: volume.metadata.name,
    podUid: uidOf(pod),
    volume,
    isBlock: spec.volumeMode === 'Block',
    isReadOnly: options.isReadOnly || csi.readOnly === true,
    fsType: csi.fsType ?? '',
    mountFlags: spec.mountOptions ?? [],
    attributes: csi.volumeAttributes ?? {},
    attachmentName:
      driver.spec.attachRequired === false
        ? undefined
        : attachmentName(handle, driverName, nodeName),
    stageSecret: csi.nodeStageSecretRef,
    publishSecret: csi.nodePublishSecretRef,
  };
}

export function planInline(pod: Pod, volume: Volume, driver: CSIDriver): VolumePlan {
  const { csi } = volume;
  if (csi === undefined) throw new VolumeError('the volume has no CSI source');
  checkLifecycle(driver, 'Ephemeral');
  const { nodePublishSecretRef } = csi;
  return {
    driverName: csi.driver,
    handle: inlineHandle(uidOf(pod), volume.name),
    specName: volume.name,
    podUid: uidOf(pod),
    volume: undefined,
    isBlock: false,
    isReadOnly: csi.readOnly === true,
    fsType: csi.fsType ?? '',
    mountFlags: [],
    attributes: csi.volumeAttributes ?? {},
    attachmentName: undefined,
    stageSecret: undefined,
    publishSecret:
      nodePublishSecretRef === undefined
        ? undefined
        : { ...nodePublishSecretRef, namespace: namespaceOf(pod) },
  };
}

function checkLifecycle({ spec }: CSIDriver, wanted: 'Persistent' | 'Ephemeral'): void {
  const modes = spec.volumeLifecycleModes ?? ['Persistent'];
  if (modes.includes(wanted)) return;
  throw new VolumeError(
    `kubernetes.io/csi: mounter.SetUpAt failed to check volume lifecycle mode: ` +
      `volume mode "${wanted}" not supported by driver ` +
      `(only supports ${JSON.stringify(modes).replaceAll(',', ' ')})`,
  );
}

export function fsGroupOf(pod: Pod): number | undefined {
  return specOf(pod).securityContext?.fsGroup;
}
