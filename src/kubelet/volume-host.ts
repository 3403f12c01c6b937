import type { Pod } from '#schema/types.ts';

/** Where a pod volume is on this machine, ready to be handed to the runtime. */
export interface MountedVolume {
  /** Absolute path of the directory, file or device; a path the runtime can bind. */
  readonly hostPath: string;
  /** The volume itself allows no writes, whatever the mount in the container says. */
  readonly isReadOnly?: boolean | undefined;
  /** Upstream's name of the volume plugin, for metrics. */
  readonly plugin?: string | undefined;
  /** hostPath volumes take part in mount propagation and are not relabelled. */
  readonly isHostPath?: boolean | undefined;
}

/** By the volume's name in pod.spec.volumes. */
export type MountedVolumes = ReadonlyMap<string, MountedVolume>;

/** One attempt to mount a volume. */
export interface MountAttempt {
  readonly plugin: string;
  readonly isOk: boolean;
  readonly tookMs: number;
}

export interface SubPathRequest {
  readonly podUid: string;
  readonly containerName: string;
  /** Index of the mount in the container's volumeMounts; part of the bind's path. */
  readonly mountIndex: number;
  readonly volumeName: string;
  readonly volume: MountedVolume;
  /** Relative, free of `..`; variables are expanded already. */
  readonly subPath: string;
  readonly isReadOnly: boolean;
}

export interface ImageVolumeRequest {
  readonly podUid: string;
  readonly volumeName: string;
  /** The runtime's id of the image. */
  readonly imageId: string;
}

/**
 * Makes the volumes of pods exist on this machine. Calls for one pod come one after the other,
 * calls for different pods at the same time.
 */
export interface VolumeManager {
  /**
   * Mounts every volume of the pod that a container uses; returns at once what is there already.
   * Waits at most 2 min 3 s, then throws a K3tsError whose message is upstream's text of the event
   * FailedMount. Reports FailedMount events of single volumes itself.
   */
  mount(pod: Pod, signal: AbortSignal): Promise<MountedVolumes>;
  /**
   * Mounts the content of an image that is on the node, read-only; an image that was mounted for
   * this volume before stays. Throws a plain error when the runtime cannot do that.
   */
  mountImage(request: ImageVolumeRequest): Promise<MountedVolume>;
  /** What mountImage mounted, also before a restart; undefined when there is nothing. */
  mountedImage(podUid: string, volumeName: string): Promise<MountedVolume | undefined>;
  /** The runtime's ids of the images that volumes on this machine show, also from before a restart. */
  imagesInUse(): Promise<string[]>;
  /** Writes changed configMap, secret, downward API and token content into mounted volumes. */
  resync(pod: Pod, signal: AbortSignal): Promise<void>;
  /** Unmounts everything of the pod and removes its directory; done already is no error. */
  unmount(podUid: string): Promise<void>;
  /** Binds a path within a volume for one mount and returns the path of the bind. */
  prepareSubPath(request: SubPathRequest): Promise<string>;
  /** What of the pod is mounted now, as far as this process has seen it. */
  mounted?(podUid: string): MountedVolumes;
  /** Uids of the pods that have a directory on disk, also those from before a restart. */
  podsOnDisk(): Promise<string[]>;
  /** node.status.volumesInUse: attachable volumes (CSI) only. */
  inUse(): readonly string[];
}

/** The cgroups of pods below kubepods. */
export interface PodCgroups {
  readonly version: 1 | 2;
  /** The cgroup path of the pod as the CRI's cgroup_parent; pure. */
  parentOf(pod: Pod): string;
  /** Makes kubepods and the cgroups of the QoS classes with their limits; idempotent. */
  prepare?(): Promise<void>;
  /** Makes the pod's cgroup with its limits (and kubepods with its QoS classes); idempotent. */
  create(pod: Pod): Promise<void>;
  /** Kills what still runs in the pod's cgroup and removes it; gone already is no error. */
  remove(podUid: string): Promise<void>;
  /**
   * Kills what still runs of a container that has ended and removes its cgroup; gone already is no
   * error. A runtime whose shim was killed may say that a container ended while it still runs.
   */
  removeContainer(pod: Pod, containerId: string): Promise<void>;
  /** Uids of the pods that have a cgroup. */
  list(): Promise<string[]>;
}

/** Files of the machine and of pods that are no volumes. */
export interface HostFiles {
  /** The machine's /etc/hosts, for pods on the host network. */
  readHosts(): Promise<string>;
  /** The resolv.conf that pods inherit from. */
  readResolvConf(): Promise<string>;
  /** Writes `pods/<uid>/etc-hosts` (0644) when its text differs, in place; returns its path. */
  writeEtcHosts(podUid: string, text: string): Promise<string>;
  /** Makes the empty `pods/<uid>/containers/<name>/<id>` (0666) and returns its path. */
  createTerminationLog(podUid: string, containerName: string, id: string): Promise<string>;
  /** At most the last `limitBytes` of a file; undefined when there is none. */
  readTail(path: string, limitBytes: number): Promise<string | undefined>;
}
