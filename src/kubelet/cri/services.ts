import type {
  AuthConfig,
  Container,
  ContainerConfig,
  ContainerEvent,
  ContainerFilter,
  ContainerStats,
  ContainerStatus,
  ExecSyncResult,
  Image,
  ImageFsInfo,
  ImageSpec,
  LinuxResources,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeStatus,
  RuntimeVersion,
  SandboxFilter,
  StreamOptions,
} from './types.ts';

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/**
 * RuntimeService of CRI v1. Every failure is a CriError with the rpc and its gRPC code. Stop and
 * remove calls are idempotent. Calls end after two minutes, plus the time given to the runtime.
 */
export interface RuntimeService {
  version(options?: CallOptions): Promise<RuntimeVersion>;
  status(options?: CallOptions & { isVerbose?: boolean }): Promise<RuntimeStatus>;
  /** Undefined when the runtime has no such call (containerd before 2.0). */
  cgroupDriver(options?: CallOptions): Promise<'SYSTEMD' | 'CGROUPFS' | undefined>;
  updatePodCidr(podCidr: string, options?: CallOptions): Promise<void>;

  runPodSandbox(
    config: PodSandboxConfig,
    runtimeHandler: string,
    options?: CallOptions,
  ): Promise<string>;
  stopPodSandbox(id: string, options?: CallOptions): Promise<void>;
  removePodSandbox(id: string, options?: CallOptions): Promise<void>;
  podSandboxStatus(id: string, options?: CallOptions): Promise<PodSandboxStatus>;
  listPodSandbox(filter?: SandboxFilter, options?: CallOptions): Promise<PodSandbox[]>;

  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
    options?: CallOptions,
  ): Promise<string>;
  startContainer(id: string, options?: CallOptions): Promise<void>;
  /** Returns when the container is gone; the runtime kills it after the grace period. */
  stopContainer(id: string, gracePeriodSeconds: number, options?: CallOptions): Promise<void>;
  removeContainer(id: string, options?: CallOptions): Promise<void>;
  listContainers(filter?: ContainerFilter, options?: CallOptions): Promise<Container[]>;
  containerStatus(id: string, options?: CallOptions): Promise<ContainerStatus>;
  updateContainerResources(id: string, linux: LinuxResources, options?: CallOptions): Promise<void>;
  reopenContainerLog(id: string, options?: CallOptions): Promise<void>;
  /** Writes a container's state to a tar file; UNIMPLEMENTED before containerd 2.0. */
  checkpointContainer(
    id: string,
    location: string,
    timeoutSeconds: number,
    options?: CallOptions,
  ): Promise<void>;
  /** Fails with code DEADLINE_EXCEEDED when the command runs longer than `timeoutSeconds`. */
  execSync(
    id: string,
    command: readonly string[],
    timeoutSeconds: number,
    options?: CallOptions,
  ): Promise<ExecSyncResult>;
  /** The three below return a URL of the runtime's streaming server, good for one use. */
  exec(
    id: string,
    command: readonly string[],
    streams: StreamOptions,
    options?: CallOptions,
  ): Promise<string>;
  attach(id: string, streams: StreamOptions, options?: CallOptions): Promise<string>;
  portForward(sandboxId: string, ports: readonly number[], options?: CallOptions): Promise<string>;
  listContainerStats(filter?: ContainerFilter, options?: CallOptions): Promise<ContainerStats[]>;
  /** Until the signal is aborted or the runtime ends it; UNIMPLEMENTED before containerd 1.7. */
  containerEvents(signal: AbortSignal): AsyncIterable<ContainerEvent>;
}

/** ImageService of CRI v1. */
export interface ImageService {
  listImages(options?: CallOptions): Promise<Image[]>;
  /** Undefined when the image is not on this machine. */
  imageStatus(image: ImageSpec, options?: CallOptions): Promise<Image | undefined>;
  /** What else the runtime knows of an image, in texts of its own; containerd: `info`, JSON. */
  imageInfo(image: ImageSpec, options?: CallOptions): Promise<Readonly<Record<string, string>>>;
  /** Runs as long as the runtime makes progress (its own rule); returns the image's reference. */
  pullImage(
    image: ImageSpec,
    request: { auth?: AuthConfig | undefined; sandboxConfig?: PodSandboxConfig | undefined },
    options?: CallOptions,
  ): Promise<string>;
  removeImage(image: ImageSpec, options?: CallOptions): Promise<void>;
  imageFsInfo(options?: CallOptions): Promise<ImageFsInfo>;
}

export interface CriClient {
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  close(): void;
}
