import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Where CSI volumes are below the kubelet's directory; upstream's layout. */
export interface CsiPaths {
  /** Directories of staged volumes: `<driver>/<hash>/vol_data.json`. */
  readonly staged: string;
  /** The directory of a staged volume; `globalmount` in it is what drivers are given. */
  stagedVolume(driver: string, handle: string): string;
  staging(driver: string, handle: string): string;
  stagingDevice(volumeName: string): string;
  /** `pods/<uid>/volumes/kubernetes.io~csi/<name>`, with `mount` and `vol_data.json`. */
  podVolume(podUid: string, volumeName: string): string;
  podVolumes(podUid: string): string;
  target(podUid: string, volumeName: string): string;
  publishDevice(volumeName: string, podUid: string): string;
}

export function csiPaths(root: string): CsiPaths {
  const staged = join(root, 'plugins', 'kubernetes.io', 'csi');
  const podVolumes = (uid: string): string =>
    join(root, 'pods', uid, 'volumes', 'kubernetes.io~csi');
  const podVolume = (uid: string, name: string): string => join(podVolumes(uid), name);
  const stagedVolume = (driver: string, handle: string): string =>
    join(staged, driver, sha256(handle));
  return {
    staged,
    stagedVolume,
    staging: (driver, handle) => join(stagedVolume(driver, handle), 'globalmount'),
    stagingDevice: (name) => join(staged, 'volumeDevices', 'staging', name),
    podVolumes,
    podVolume,
    target: (uid, name) => join(podVolume(uid, name), 'mount'),
    publishDevice: (name, uid) => join(staged, 'volumeDevices', 'publish', name, uid),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The VolumeAttachment that binds a volume to a node. */
export function attachmentName(handle: string, driver: string, nodeName: string): string {
  return `csi-${sha256(`${handle}${driver}${nodeName}`)}`;
}

/** The handle of a volume that lives and ends with its pod. */
export function inlineHandle(podUid: string, volumeName: string): string {
  return `csi-${sha256(`${podUid}${volumeName}`)}`;
}
