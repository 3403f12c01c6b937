/**
 * The CRI messages that the kubelet works with, as codec.ts reads and writes them. Times are
 * nanoseconds since 1970.
 */

export type SandboxState = 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
export type ContainerState =
  | 'CONTAINER_CREATED'
  | 'CONTAINER_RUNNING'
  | 'CONTAINER_EXITED'
  | 'CONTAINER_UNKNOWN';
export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';
export type MountPropagation =
  | 'PROPAGATION_PRIVATE'
  | 'PROPAGATION_HOST_TO_CONTAINER'
  | 'PROPAGATION_BIDIRECTIONAL';

export interface Int64Value {
  value: number;
}

export interface SandboxMetadata {
  name: string;
  uid: string;
  namespace: string;
  attempt: number;
}

export interface DnsConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface PortMapping {
  protocol: 'TCP' | 'UDP' | 'SCTP';
  containerPort: number;
  hostPort: number;
  hostIp: string;
}

export interface SecurityProfile {
  profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  localhostRef?: string | undefined;
}

export interface SelinuxOption {
  user: string;
  role: string;
  type: string;
  level: string;
}

export interface IdMapping {
  hostId: number;
  containerId: number;
  length: number;
}

export interface UserNamespace {
  mode: NamespaceMode;
  uids: IdMapping[];
  gids: IdMapping[];
}

export interface NamespaceOption {
  network: NamespaceMode;
  pid: NamespaceMode;
  ipc: NamespaceMode;
  targetId?: string | undefined;
  usernsOptions?: UserNamespace | undefined;
}

export interface LinuxResources {
  cpuPeriod?: number | undefined;
  cpuQuota?: number | undefined;
  cpuShares?: number | undefined;
  memoryLimitInBytes?: number | undefined;
  oomScoreAdj?: number | undefined;
  cpusetCpus?: string | undefined;
  cpusetMems?: string | undefined;
  hugepageLimits?: { pageSize: string; limit: number }[] | undefined;
  unified?: Record<string, string> | undefined;
  memorySwapLimitInBytes?: number | undefined;
}

export interface LinuxSandboxSecurityContext {
  namespaceOptions: NamespaceOption;
  selinuxOptions?: SelinuxOption | undefined;
  runAsUser?: Int64Value | undefined;
  runAsGroup?: Int64Value | undefined;
  readonlyRootfs?: boolean | undefined;
  supplementalGroups?: number[] | undefined;
  supplementalGroupsPolicy?: 'Merge' | 'Strict' | undefined;
  privileged?: boolean | undefined;
  seccomp?: SecurityProfile | undefined;
  apparmor?: SecurityProfile | undefined;
}

export interface PodSandboxConfig {
  metadata: SandboxMetadata;
  hostname: string;
  logDirectory: string;
  dnsConfig: DnsConfig;
  portMappings: PortMapping[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  linux: {
    cgroupParent: string;
    securityContext: LinuxSandboxSecurityContext;
    sysctls: Record<string, string>;
    overhead?: LinuxResources | undefined;
    resources?: LinuxResources | undefined;
  };
}

export interface PodSandbox {
  id: string;
  metadata?: SandboxMetadata | undefined;
  state: SandboxState;
  createdAt: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  runtimeHandler: string;
}

export interface PodSandboxStatus extends PodSandbox {
  network?: { ip: string; additionalIps: { ip: string }[] } | undefined;
  linux?: { namespaces?: { options?: NamespaceOption | undefined } | undefined } | undefined;
}

export interface ImageSpec {
  image: string;
  annotations?: Record<string, string> | undefined;
  userSpecifiedImage?: string | undefined;
  runtimeHandler?: string | undefined;
  imageRef?: string | undefined;
}

export interface Mount {
  containerPath: string;
  hostPath: string;
  readonly?: boolean | undefined;
  selinuxRelabel?: boolean | undefined;
  propagation?: MountPropagation | undefined;
  recursiveReadOnly?: boolean | undefined;
  uidMappings?: IdMapping[] | undefined;
  gidMappings?: IdMapping[] | undefined;
}

export interface LinuxContainerSecurityContext {
  capabilities?: { addCapabilities: string[]; dropCapabilities: string[] } | undefined;
  privileged?: boolean | undefined;
  namespaceOptions: NamespaceOption;
  selinuxOptions?: SelinuxOption | undefined;
  runAsUser?: Int64Value | undefined;
  runAsGroup?: Int64Value | undefined;
  runAsUsername?: string | undefined;
  readonlyRootfs?: boolean | undefined;
  supplementalGroups?: number[] | undefined;
  supplementalGroupsPolicy?: 'Merge' | 'Strict' | undefined;
  noNewPrivs?: boolean | undefined;
  maskedPaths?: string[] | undefined;
  readonlyPaths?: string[] | undefined;
  seccomp?: SecurityProfile | undefined;
  apparmor?: SecurityProfile | undefined;
}

export interface ContainerConfig {
  metadata: { name: string; attempt: number };
  image: ImageSpec;
  command: string[];
  args: string[];
  workingDir: string;
  envs: { key: string; value: string }[];
  mounts: Mount[];
  devices: { containerPath: string; hostPath: string; permissions: string }[];
  cdiDevices?: { name: string }[] | undefined;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  logPath: string;
  stdin: boolean;
  stdinOnce: boolean;
  tty: boolean;
  linux: { resources: LinuxResources; securityContext: LinuxContainerSecurityContext };
}

export interface Container {
  id: string;
  podSandboxId: string;
  metadata?: { name: string; attempt: number } | undefined;
  image?: ImageSpec | undefined;
  imageRef: string;
  state: ContainerState;
  createdAt: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export interface ContainerStatus {
  id: string;
  metadata?: { name: string; attempt: number } | undefined;
  state: ContainerState;
  createdAt: number;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  image?: ImageSpec | undefined;
  imageRef: string;
  imageId: string;
  reason: string;
  message: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  mounts: Mount[];
  logPath: string;
  resources?: { linux?: LinuxResources | undefined } | undefined;
  user?:
    | { linux?: { uid: number; gid: number; supplementalGroups: number[] } | undefined }
    | undefined;
}

export interface RuntimeCondition {
  type: string;
  status: boolean;
  reason: string;
  message: string;
}

export interface RuntimeStatus {
  status?: { conditions: RuntimeCondition[] } | undefined;
  info: Record<string, string>;
  runtimeHandlers: {
    name: string;
    features?: { recursiveReadOnlyMounts: boolean; userNamespaces: boolean } | undefined;
  }[];
  features?: { supplementalGroupsPolicy: boolean } | undefined;
}

export interface RuntimeVersion {
  version: string;
  runtimeName: string;
  runtimeVersion: string;
  runtimeApiVersion: string;
}

export interface ContainerEvent {
  containerId: string;
  containerEventType:
    | 'CONTAINER_CREATED_EVENT'
    | 'CONTAINER_STARTED_EVENT'
    | 'CONTAINER_STOPPED_EVENT'
    | 'CONTAINER_DELETED_EVENT';
  createdAt: number;
  podSandboxStatus?: PodSandboxStatus | undefined;
  containersStatuses: ContainerStatus[];
}

export interface Image {
  id: string;
  repoTags: string[];
  repoDigests: string[];
  size: number;
  /** The user the image runs as when it is a number. */
  uid?: Int64Value | undefined;
  /** The user the image runs as when it is a name. */
  username: string;
  spec?: ImageSpec | undefined;
  pinned: boolean;
}

export interface AuthConfig {
  username?: string | undefined;
  password?: string | undefined;
  auth?: string | undefined;
  serverAddress?: string | undefined;
  identityToken?: string | undefined;
  registryToken?: string | undefined;
}

export interface UsageValue {
  value: number;
}

export interface FilesystemUsage {
  timestamp: number;
  fsId?: { mountpoint: string } | undefined;
  usedBytes?: UsageValue | undefined;
  inodesUsed?: UsageValue | undefined;
}

export interface ImageFsInfo {
  imageFilesystems: FilesystemUsage[];
  containerFilesystems: FilesystemUsage[];
}

export interface ContainerStats {
  attributes?:
    | {
        id: string;
        metadata?: { name: string; attempt: number } | undefined;
        labels: Record<string, string>;
      }
    | undefined;
  cpu?:
    | {
        timestamp: number;
        usageCoreNanoSeconds?: UsageValue | undefined;
        usageNanoCores?: UsageValue | undefined;
      }
    | undefined;
  memory?:
    | {
        timestamp: number;
        workingSetBytes?: UsageValue | undefined;
        availableBytes?: UsageValue | undefined;
        usageBytes?: UsageValue | undefined;
        rssBytes?: UsageValue | undefined;
        pageFaults?: UsageValue | undefined;
        majorPageFaults?: UsageValue | undefined;
      }
    | undefined;
  writableLayer?: FilesystemUsage | undefined;
}

export interface ExecSyncResult {
  stdout: Buffer;
  stderr: Buffer;
  exitCode: number;
}

export interface StreamOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

export interface SandboxFilter {
  id?: string | undefined;
  state?: { state: SandboxState } | undefined;
  labelSelector?: Record<string, string> | undefined;
}

export interface ContainerFilter {
  id?: string | undefined;
  state?: { state: ContainerState } | undefined;
  podSandboxId?: string | undefined;
  labelSelector?: Record<string, string> | undefined;
}
