import { join } from 'node:path';

/** Upstream's layout below the kubelet's root directory. */
export interface PodDirectories {
  readonly root: string;
  /** `pods`: one directory a pod uid. */
  readonly pods: string;
  pod(uid: string): string;
  volumes(uid: string): string;
  /** `volumes/kubernetes.io~<plugin>/<name>`. */
  volume(uid: string, plugin: VolumePlugin, name: string): string;
  /** The directory of all volumes of one plugin. */
  plugin(uid: string, plugin: VolumePlugin): string;
  /** What a plugin keeps about its volumes: `plugins/kubernetes.io~<plugin>`. */
  notes(uid: string, plugin: VolumePlugin): string;
  subPath(uid: string, volume: string, container: string, index: number): string;
  subPaths(uid: string): string;
  etcHosts(uid: string): string;
  /** Where a container's termination log files are. */
  container(uid: string, container: string): string;
}

export type VolumePlugin =
  | 'empty-dir'
  | 'configmap'
  | 'secret'
  | 'downward-api'
  | 'projected'
  | 'image';

export function podDirectories(root: string): PodDirectories {
  const pods = join(root, 'pods');
  const pod = (uid: string): string => join(pods, uid);
  return {
    root,
    pods,
    pod,
    volumes: (uid) => join(pod(uid), 'volumes'),
    volume: (uid, plugin, name) => join(pod(uid), 'volumes', `kubernetes.io~${plugin}`, name),
    plugin: (uid, plugin) => join(pod(uid), 'volumes', `kubernetes.io~${plugin}`),
    notes: (uid, plugin) => join(pod(uid), 'plugins', `kubernetes.io~${plugin}`),
    subPath: (uid, volume, container, index) =>
      join(pod(uid), 'volume-subpaths', volume, container, String(index)),
    subPaths: (uid) => join(pod(uid), 'volume-subpaths'),
    etcHosts: (uid) => join(pod(uid), 'etc-hosts'),
    container: (uid, container) => join(pod(uid), 'containers', container),
  };
}
