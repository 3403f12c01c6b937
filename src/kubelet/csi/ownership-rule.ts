import type { CSIDriver, PersistentVolume } from '#schema/types.ts';

/**
 * Whether the kubelet gives the volume's files to the pod's fsGroup, by the driver's fsGroupPolicy.
 * Without one: file systems that are named and written from one node, as upstream.
 */
export function changesOwnership(options: {
  driver: CSIDriver;
  fsType: string;
  /** Absent for volumes that live and end with their pod. */
  volume?: PersistentVolume | undefined;
}): boolean {
  const { driver, fsType, volume } = options;
  const policy = driver.spec.fsGroupPolicy ?? 'ReadWriteOnceWithFSType';
  if (policy !== 'ReadWriteOnceWithFSType') return policy === 'File';
  if (fsType === '') return false;
  return volume === undefined || volume.spec?.accessModes?.includes('ReadWriteOnce') === true;
}
