import type { ReservedMemory } from './memory/mod.ts';
import type { VerificationPolicy } from './images/pull-policy.ts';

/** The kubelet's settings, after defaults; names and defaults are upstream's where it has them. */
export interface KubeletConfig {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly maxPods: number;
  readonly syncFrequencyMs: number;
  readonly nodeStatusUpdateFrequencyMs: number;
  readonly nodeStatusReportFrequencyMs: number;
  readonly nodeLeaseDurationSeconds: number;
  readonly maxContainerRestartPeriodMs: number;
  readonly containerLogMaxSizeBytes: number;
  readonly containerLogMaxFiles: number;
  readonly imageGcHighThresholdPercent: number;
  readonly imageGcLowThresholdPercent: number;
  readonly imageMinimumGcAgeMs: number;
  /** Unused images go after this long, whatever the disk says; 0 for never. */
  readonly imageMaximumGcAgeMs: number;
  /** Pulls at the same time; 0 for any number. */
  readonly maxParallelImagePulls: number;
  /** Which images need credentials although they are on the node. */
  readonly pullVerification: VerificationPolicy;
  /** Repositories that need none under NeverVerifyAllowlistedImages. */
  readonly pullAllowlist: readonly string[];
  readonly isSeccompDefault: boolean;
  readonly hasCpuQuota: boolean;
  /** The period that CPU limits are counted in. */
  readonly cpuQuotaPeriodUs: number;
  /** `none` or `static`. */
  readonly cpuManagerPolicy: string;
  readonly cpuManagerPolicyOptions: Readonly<Record<string, string>>;
  readonly cpuManagerReconcileMs: number;
  /** The feature gate CPUManagerPolicyAlphaOptions. */
  readonly hasCpuAlphaOptions: boolean;
  /** `none`, `best-effort`, `restricted` or `single-numa-node`. */
  readonly topologyManagerPolicy: string;
  /** `container` or `pod`. */
  readonly topologyManagerScope: string;
  readonly topologyManagerPolicyOptions: Readonly<Record<string, string>>;
  /** `None` or `Static`. */
  readonly memoryManagerPolicy: string;
  readonly reservedMemory: readonly ReservedMemory[];
  /** Processors kept from exclusive use, as the kernel writes lists; empty: the lowest ones. */
  readonly reservedCpus: string;
  /** Pods of class Burstable get swap in proportion to what memory they ask for. */
  readonly hasLimitedSwap: boolean;
  /** The kernel kills single processes for memory, not whole containers; version 2 only. */
  readonly isSingleProcessOomKill: boolean;
  /** The start fails when settings of the kernel are not those that the kubelet wants. */
  readonly protectsKernelDefaults: boolean;
  /** Of the agent's own process. */
  readonly oomScoreAdj: number;
  readonly containerLogMonitorMs: number;
  /** False: ephemeral storage is not counted, shown or limited. */
  readonly hasLocalStorage: boolean;
  /** The start fails on a machine with swap. */
  readonly failsOnSwap: boolean;
  /** The start fails on a machine with cgroup version 1. */
  readonly failsOnCgroupV1: boolean;
  /** Which cgroups get limits: `pods`, `system-reserved`, `kube-reserved` and their like. */
  readonly enforceNodeAllocatable: readonly string[];
  readonly systemReservedCgroup: string;
  readonly kubeReservedCgroup: string;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly kubeReserved: Readonly<Record<string, string>>;
  readonly systemReserved: Readonly<Record<string, string>>;
  /** Thresholds as `5%` or quantities, by signal. */
  readonly evictionHard: Readonly<Record<string, string>>;
  /** Thresholds that act when they are crossed for their grace period. */
  readonly evictionSoft: Readonly<Record<string, string>>;
  /** By signal. */
  readonly evictionSoftGraceMs: Readonly<Record<string, number>>;
  /** What is freed beyond a threshold once it was crossed, by signal; percent or quantity. */
  readonly evictionMinimumReclaim: Readonly<Record<string, string>>;
  /** The longest that a pod gets to end for a soft threshold. */
  readonly evictionMaxPodGraceSeconds: number;
  readonly evictionPressureTransitionMs: number;
  readonly registerNode: boolean;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly nodeTaints: readonly { key: string; value?: string; effect: string }[];
  readonly nodeAnnotations: Readonly<Record<string, string>>;
  readonly providerId: string;
  /** InternalIP first of each family; the Hostname address is added. */
  readonly nodeIps: readonly string[];
  /** ExternalIP addresses, for clients outside of the cluster. */
  readonly externalIps: readonly string[];
  readonly hostname: string;
  readonly kubeletPort: number;
  readonly kubeletVersion: string;
  /** Directory with static pod manifests; empty for none. */
  readonly staticPodPath: string;
  readonly fileCheckMs: number;
  /** Where more static pods are read from, each httpCheckMs; empty for none. */
  readonly staticPodUrl: string;
  readonly staticPodUrlHeaders: Readonly<Record<string, readonly string[]>>;
  readonly httpCheckMs: number;
  /** At most so many pods for each cpu; 0 for no such bound. */
  readonly podsPerCore: number;
  /** Images in the Node's status; -1 for all. */
  readonly nodeStatusMaxImages: number;
  /** Processes of a pod; 0 or less for what the machine allows. */
  readonly podPidsLimit: number;
  /** How long pods of this priority and above have when the machine is shut down; none: no wait. */
  readonly shutdownPeriods: readonly ShutdownPeriod[];
}

export interface ShutdownPeriod {
  readonly priority: number;
  readonly periodMs: number;
}

export const defaultKubeletConfig: KubeletConfig = {
  clusterDns: [],
  clusterDomain: 'cluster.local',
  maxPods: 110,
  syncFrequencyMs: 60_000,
  nodeStatusUpdateFrequencyMs: 10_000,
  nodeStatusReportFrequencyMs: 300_000,
  nodeLeaseDurationSeconds: 40,
  maxContainerRestartPeriodMs: 300_000,
  containerLogMaxSizeBytes: 10 * 1024 * 1024,
  containerLogMaxFiles: 5,
  imageGcHighThresholdPercent: 85,
  imageGcLowThresholdPercent: 80,
  imageMinimumGcAgeMs: 120_000,
  imageMaximumGcAgeMs: 0,
  maxParallelImagePulls: 0,
  pullVerification: 'NeverVerifyPreloadedImages',
  pullAllowlist: [],
  isSeccompDefault: false,
  hasCpuQuota: true,
  cpuQuotaPeriodUs: 100_000,
  cpuManagerPolicy: 'none',
  cpuManagerPolicyOptions: {},
  cpuManagerReconcileMs: 10_000,
  hasCpuAlphaOptions: false,
  topologyManagerPolicy: 'none',
  topologyManagerScope: 'container',
  topologyManagerPolicyOptions: {},
  memoryManagerPolicy: 'None',
  reservedMemory: [],
  reservedCpus: '',
  hasLimitedSwap: false,
  isSingleProcessOomKill: false,
  protectsKernelDefaults: false,
  oomScoreAdj: -999,
  containerLogMonitorMs: 10_000,
  hasLocalStorage: true,
  failsOnSwap: false,
  failsOnCgroupV1: false,
  enforceNodeAllocatable: ['pods'],
  systemReservedCgroup: '',
  kubeReservedCgroup: '',
  allowedUnsafeSysctls: [],
  kubeReserved: {},
  systemReserved: {},
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '10%',
    'nodefs.inodesFree': '5%',
    'imagefs.available': '15%',
    'imagefs.inodesFree': '5%',
  },
  evictionSoft: {},
  evictionSoftGraceMs: {},
  evictionMinimumReclaim: {},
  evictionMaxPodGraceSeconds: 0,
  evictionPressureTransitionMs: 300_000,
  registerNode: true,
  nodeLabels: {},
  nodeTaints: [],
  nodeAnnotations: {},
  providerId: '',
  nodeIps: [],
  externalIps: [],
  hostname: '',
  kubeletPort: 10250,
  kubeletVersion: 'v1.36.2',
  staticPodPath: '',
  fileCheckMs: 20_000,
  staticPodUrl: '',
  staticPodUrlHeaders: {},
  httpCheckMs: 20_000,
  podsPerCore: 0,
  nodeStatusMaxImages: 50,
  podPidsLimit: -1,
  shutdownPeriods: [],
};

/** Directories on the machine that are not below the kubelet's root. */
export interface HostPaths {
  /** Usually /var/log/pods. */
  readonly podLogs: string;
  /** Usually /var/log/containers; empty for no symlinks. */
  readonly containerLogs: string;
}
