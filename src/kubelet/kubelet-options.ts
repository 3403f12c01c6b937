import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { CgroupStats } from '#host/cgroup-stats.ts';
import type { Node, Pod } from '#schema/types.ts';
import type { ObjectReader } from './containers/environment.ts';
import type { CpuManager } from './cpus/mod.ts';
import type { ContainerState, CriClient } from './cri/mod.ts';
import type { PullCredential } from './images/pull-credential.ts';
import type { MemoryManager } from './memory/mod.ts';
import type { KubeletMetrics } from './metrics/mod.ts';
import type { NumaNodes } from './topology/mod.ts';
import type { HostPaths, KubeletConfig } from './kubelet-config.ts';
import type { MachineInfo, MachineUsage } from './machine-info.ts';
import type { ClaimUsage } from './volumes/claim-usage.ts';
import type { HostFiles, MountAttempt, PodCgroups, VolumeManager } from './volume-host.ts';

/** What the volume manager gets from the kubelet it works for. */
export interface VolumeParts {
  readonly objects: ObjectReader;
  readonly events: EventRecorder;
  /** Node allocatable as in the Node's status. */
  readonly allocatable: () => Readonly<Record<string, string>>;
  /** To be called when inUse answers something else, so that the Node says it soon. */
  readonly inUseChanged: () => void;
  /** Hears of each attempt to mount a volume; for metrics. */
  readonly onMount: (attempt: MountAttempt) => void;
}

export interface KubeletOptions {
  readonly client: Client;
  /** Host and port of the API server, for metrics. */
  readonly apiHost?: string | undefined;
  readonly cri: CriClient;
  readonly nodeName: string;
  /** Usually /var/lib/kubelet. */
  readonly rootDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly machine: MachineInfo;
  readonly machineUsage: () => Promise<MachineUsage>;
  /** What a pod's cgroup uses; eviction ranks pods by it. Absent: nobody knows. */
  readonly podUsage?: ((pod: Pod) => Promise<CgroupStats | undefined>) | undefined;
  /** What the cgroup of all pods uses. */
  readonly podsUsage?: (() => Promise<CgroupStats | undefined>) | undefined;
  readonly volumes: (parts: VolumeParts) => VolumeManager | Promise<VolumeManager>;
  /** Where device plugins register and agents ask who has what; absent: no device plugins. */
  readonly devicePlugins?: { readonly directory: string; readonly podResourcesSocket: string };
  /** Credentials that this node has for an image, the most specific first. */
  readonly nodeCredentials?: ((image: string, pod: Pod) => Promise<PullCredential[]>) | undefined;
  readonly cgroups: PodCgroups;
  /** Limits what is reserved for others than pods; answers texts for events, or throws one. */
  readonly enforceReserved?: (() => Promise<readonly string[]>) | undefined;
  /** Who has processors of his own; absent: nobody. */
  readonly cpus?: CpuManager | undefined;
  /** Whose memory is of certain NUMA nodes; absent: nobody's. */
  readonly memory?: MemoryManager | undefined;
  /** NUMA nodes of the machine; one when absent. */
  readonly numaNodes?: NumaNodes | undefined;
  readonly hostFiles: HostFiles;
  readonly hostPaths: HostPaths;
  readonly config: KubeletConfig;
}

export interface ContainerLookup {
  readonly containerId: string;
  readonly sandboxId: string;
  /** Absolute path of the container's log file. */
  readonly logPath: string;
  readonly state: ContainerState;
  readonly startedAtMs: number;
  /** 0 while it runs. */
  readonly finishedAtMs: number;
  readonly exitCode: number;
}

export interface Kubelet {
  /** Resolves when the node is registered and its pods are known; rejects when aborted before. */
  start(signal: AbortSignal): Promise<void>;
  /** Resolves when the signal was aborted and nothing runs any more; containers keep running. */
  done(): Promise<void>;
  readonly node: Node | undefined;
  /** Texts of the Ready condition; empty when the node is ready. */
  problems(): string[];
  podByName(namespace: string, name: string): Pod | undefined;
  podByUid(uid: string): Pod | undefined;
  /** Every pod of this node with its status as of now, static pods included. */
  pods(): Pod[];
  /** Pods that the runtime has, whether or not anybody asks for them. */
  runningPods(): Pod[];
  /** The newest container of this name, or the one before it. */
  getContainer(
    namespace: string,
    pod: string,
    container: string,
    options?: { isPrevious?: boolean },
  ): ContainerLookup | undefined;
  /** The pod's sandbox that is ready; for port forwarding. */
  sandboxId(namespace: string, pod: string): string | undefined;
  /** File systems of the pod's volumes that claims brought. */
  claimUsage(pod: Pod): Promise<ClaimUsage[]>;
  /** What /metrics shows. */
  readonly metrics: KubeletMetrics;
  /** Prometheus text of /metrics/probes. */
  probeMetrics(): string;
  /** The runtime was listed within the last three minutes. */
  isSyncing(): boolean;
  /**
   * The machine goes down: takes no more pods and ends those that are there within the periods of
   * the configuration. Resolves when all are gone or had their time.
   */
  shutDown(): Promise<void>;
  /** The machine stays after all. */
  cancelShutdown(): void;
  /** Ends a pod for a reason of the node's: eviction, shutdown. */
  endPod(uid: string, verdict: { reason: string; message: string }, graceSeconds?: number): void;
}
