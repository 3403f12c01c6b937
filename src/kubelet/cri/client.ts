import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { grpcCodes, hasGrpcCode } from './cri-error.ts';
import type { CallOptions, CriClient, ImageService, RuntimeService } from './services.ts';
import { createCriTransport } from './transport.ts';
import type { CriTransport, ServiceName } from './transport.ts';
import type {
  Container,
  ContainerEvent,
  ContainerStats,
  ContainerStatus,
  ExecSyncResult,
  Image,
  ImageFsInfo,
  PodSandbox,
  PodSandboxStatus,
  RuntimeStatus,
  RuntimeVersion,
} from './types.ts';

const requestTimeoutMs = 120_000;

interface CallExtras extends CallOptions {
  /** Time that the runtime itself was given, on top of the request's. */
  extraMs?: number | undefined;
  isUnbounded?: boolean | undefined;
}

type Call = <T extends object>(rpc: string, request: object, extras?: CallExtras) => Promise<T>;

/** A client of the runtime behind a unix socket; connects at the first call. */
export function createCriClient(options: {
  socketPath: string;
  clock: Clock;
  log: Logger;
}): CriClient {
  const transport = createCriTransport(options);
  const caller = (service: ServiceName): Call => {
    return (rpc, request, extras = {}) =>
      transport.call({
        service,
        rpc,
        request,
        signal: extras.signal,
        timeoutMs:
          extras.isUnbounded === true ? undefined : requestTimeoutMs + (extras.extraMs ?? 0),
      });
  };
  return {
    runtime: runtimeService(caller('RuntimeService'), transport),
    images: imageService(caller('ImageService')),
    close: () => transport.close(),
  };
}

function runtimeService(call: Call, transport: CriTransport): RuntimeService {
  return {
    ...aboutTheRuntime(call),
    ...aboutSandboxes(call),
    ...aboutContainers(call),
    ...aboutStreams(call),
    containerEvents: (signal) =>
      transport.stream<ContainerEvent>({
        service: 'RuntimeService',
        rpc: 'GetContainerEvents',
        request: {},
        signal,
      }),
  };
}

function aboutTheRuntime(
  call: Call,
): Pick<RuntimeService, 'version' | 'status' | 'cgroupDriver' | 'updatePodCidr'> {
  return {
    version: (options) => call<RuntimeVersion>('Version', { version: '0.1.0' }, options),
    status: (options) =>
      call<RuntimeStatus>('Status', { verbose: options?.isVerbose ?? false }, options),
    async cgroupDriver(options) {
      try {
        const { linux } = await call<{
          linux?: { cgroupDriver: 'SYSTEMD' | 'CGROUPFS' };
        }>('RuntimeConfig', {}, options);
        return linux?.cgroupDriver;
      } catch (error) {
        if (hasGrpcCode(error, grpcCodes.unimplemented)) return undefined;
        throw error;
      }
    },
    async updatePodCidr(podCidr, options) {
      const runtimeConfig = { networkConfig: { podCidr } };
      await call('UpdateRuntimeConfig', { runtimeConfig }, options);
    },
  };
}

type SandboxCalls =
  | 'runPodSandbox'
  | 'stopPodSandbox'
  | 'removePodSandbox'
  | 'podSandboxStatus'
  | 'listPodSandbox';

function aboutSandboxes(call: Call): Pick<RuntimeService, SandboxCalls> {
  return {
    async runPodSandbox(config, runtimeHandler, options) {
      const request = { config, runtimeHandler };
      // Pulling the pause image and a slow network plugin are within this time: double it.
      const extras = { ...options, extraMs: requestTimeoutMs };
      return (await call<{ podSandboxId: string }>('RunPodSandbox', request, extras)).podSandboxId;
    },
    async stopPodSandbox(id, options) {
      await call('StopPodSandbox', { podSandboxId: id }, options);
    },
    async removePodSandbox(id, options) {
      await call('RemovePodSandbox', { podSandboxId: id }, options);
    },
    async podSandboxStatus(id, options) {
      const request = { podSandboxId: id };
      return (await call<{ status: PodSandboxStatus }>('PodSandboxStatus', request, options))
        .status;
    },
    async listPodSandbox(filter, options) {
      const request = { filter };
      return (await call<{ items: PodSandbox[] }>('ListPodSandbox', request, options)).items;
    },
  };
}

type ContainerCalls =
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'listContainers'
  | 'containerStatus'
  | 'updateContainerResources'
  | 'reopenContainerLog'
  | 'checkpointContainer'
  | 'listContainerStats';

function aboutContainers(call: Call): Pick<RuntimeService, ContainerCalls> {
  return {
    async createContainer(podSandboxId, config, sandboxConfig, options) {
      const request = { podSandboxId, config, sandboxConfig };
      return (await call<{ containerId: string }>('CreateContainer', request, options)).containerId;
    },
    async startContainer(containerId, options) {
      await call('StartContainer', { containerId }, options);
    },
    async stopContainer(containerId, gracePeriodSeconds, options) {
      const extras = { ...options, extraMs: gracePeriodSeconds * 1000 };
      await call('StopContainer', { containerId, timeout: gracePeriodSeconds }, extras);
    },
    async removeContainer(containerId, options) {
      await call('RemoveContainer', { containerId }, options);
    },
    async listContainers(filter, options) {
      return (await call<{ containers: Container[] }>('ListContainers', { filter }, options))
        .containers;
    },
    async containerStatus(containerId, options) {
      return (await call<{ status: ContainerStatus }>('ContainerStatus', { containerId }, options))
        .status;
    },
    async updateContainerResources(containerId, linux, options) {
      await call('UpdateContainerResources', { containerId, linux }, options);
    },
    async reopenContainerLog(containerId, options) {
      await call('ReopenContainerLog', { containerId }, options);
    },
    async checkpointContainer(containerId, location, timeoutSeconds, options) {
      // Less than usual is not to be had, as upstream.
      const timeout = Math.max(timeoutSeconds, requestTimeoutMs / 1000);
      const extras = { ...options, extraMs: timeout * 1000 - requestTimeoutMs };
      await call('CheckpointContainer', { containerId, location, timeout }, extras);
    },
    async listContainerStats(filter, options) {
      return (await call<{ stats: ContainerStats[] }>('ListContainerStats', { filter }, options))
        .stats;
    },
  };
}

function aboutStreams(
  call: Call,
): Pick<RuntimeService, 'execSync' | 'exec' | 'attach' | 'portForward'> {
  return {
    execSync(containerId, cmd, timeoutSeconds, options) {
      const request = { containerId, cmd, timeout: timeoutSeconds };
      const extras = { ...options, extraMs: timeoutSeconds * 1000 };
      return call<ExecSyncResult>('ExecSync', request, {
        ...extras,
        isUnbounded: timeoutSeconds === 0,
      });
    },
    async exec(containerId, cmd, streams, options) {
      const request = { containerId, cmd, ...streams };
      return (await call<{ url: string }>('Exec', request, options)).url;
    },
    async attach(containerId, streams, options) {
      return (await call<{ url: string }>('Attach', { containerId, ...streams }, options)).url;
    },
    async portForward(podSandboxId, port, options) {
      return (await call<{ url: string }>('PortForward', { podSandboxId, port }, options)).url;
    },
  };
}

function imageService(call: Call): ImageService {
  return {
    async listImages(options) {
      return (await call<{ images: Image[] }>('ListImages', {}, options)).images;
    },
    async imageStatus(image, options) {
      const answer = await call<{ image?: Image }>('ImageStatus', { image }, options);
      return answer.image === undefined || answer.image.id === '' ? undefined : answer.image;
    },
    async imageInfo(image, options) {
      const request = { image, verbose: true };
      return (await call<{ info: Record<string, string> }>('ImageStatus', request, options)).info;
    },
    async pullImage(image, request, options) {
      const extras = { ...options, isUnbounded: true };
      return (await call<{ imageRef: string }>('PullImage', { image, ...request }, extras))
        .imageRef;
    },
    async removeImage(image, options) {
      await call('RemoveImage', { image }, options);
    },
    imageFsInfo: (options) => call<ImageFsInfo>('ImageFsInfo', {}, options),
  };
}
