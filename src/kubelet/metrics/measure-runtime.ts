import type { Clock } from '#base/clock.ts';
import { runtimeLabels } from '../pods/names.ts';
import type { ContainerKind } from '../pods/names.ts';
import type { CriClient, ImageService, RuntimeService } from '../cri/mod.ts';
import type { KubeletMetrics } from './kubelet-metrics.ts';

/** Upstream's names of the calls; what is not here is not counted. */
const operationNames: Readonly<Record<string, string>> = {
  version: 'version',
  status: 'status',
  cgroupDriver: 'runtime_config',
  updatePodCidr: 'update_runtime_config',
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  podSandboxStatus: 'podsandbox_status',
  listPodSandbox: 'list_podsandbox',
  createContainer: 'create_container',
  startContainer: 'start_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  updateContainerResources: 'update_container',
  reopenContainerLog: 'reopen_container_log',
  checkpointContainer: 'checkpoint_container',
  execSync: 'exec_sync',
  exec: 'exec',
  attach: 'attach',
  portForward: 'port_forward',
  listContainerStats: 'list_container_stats',
  listImages: 'list_images',
  imageStatus: 'image_status',
  pullImage: 'pull_image',
  removeImage: 'remove_image',
  imageFsInfo: 'image_fs_info',
};

const kindNames: Readonly<Record<ContainerKind, string>> = {
  containers: 'container',
  initContainers: 'init_container',
  ephemeralContainers: 'ephemeral_container',
};

type AnyCall = (...args: unknown[]) => unknown;

/** The runtime with every call counted and timed. */
export function measureRuntime(
  cri: CriClient,
  options: {
    metrics: KubeletMetrics;
    clock: Clock;
    kindOf: (podUid: string, container: string) => ContainerKind | undefined;
  },
): CriClient {
  const runtime = measureCalls(cri.runtime, options);
  const images = measureCalls(cri.images, options);
  return {
    runtime: { ...runtime, ...measureStarts(runtime, options) },
    images: { ...images, ...measurePulls(images, options) },
    close: () => cri.close(),
  };
}

function measureCalls<T extends object>(
  service: T,
  { metrics, clock }: { metrics: KubeletMetrics; clock: Clock },
): T {
  const measured: Record<string, unknown> = Object.fromEntries(Object.entries(service));
  for (const [method, call] of Object.entries(service) as [string, AnyCall][]) {
    const name = operationNames[method];
    if (name === undefined) continue;
    measured[method] = async (...args: unknown[]): Promise<unknown> => {
      const startMs = clock.monotonicMs();
      metrics.operations.with(name).value += 1;
      try {
        return await call(...args);
      } catch (error) {
        metrics.operationErrors.with(name).value += 1;
        throw error;
      } finally {
        const tookMs = clock.monotonicMs() - startMs;
        metrics.operationDuration.with(name).observe(tookMs / 1000);
      }
    };
  }
  return measured as T;
}

/** Pods and containers that were begun, and those that failed. */
function measureStarts(
  runtime: RuntimeService,
  {
    metrics,
    clock,
    kindOf,
  }: {
    metrics: KubeletMetrics;
    clock: Clock;
    kindOf: (podUid: string, container: string) => ContainerKind | undefined;
  },
): Pick<RuntimeService, 'runPodSandbox' | 'createContainer' | 'startContainer'> {
  /** Types of the containers that are created but not started. */
  const types = new Map<string, string>();
  return {
    async runPodSandbox(config, handler, options) {
      const startMs = clock.monotonicMs();
      metrics.startedPods.with().value += 1;
      const users = config.linux?.securityContext?.namespaceOptions?.usernsOptions;
      const hasUsers = users?.mode === 'POD';
      if (hasUsers) metrics.userPods.with().value += 1;
      metrics.startedContainers.with('pod_sandbox').value += 1;
      try {
        const id = await runtime.runPodSandbox(config, handler, options);
        metrics.sandboxDuration.with(handler).observe((clock.monotonicMs() - startMs) / 1000);
        return id;
      } catch (error) {
        metrics.podErrors.with().value += 1;
        if (hasUsers) metrics.userPodErrors.with().value += 1;
        metrics.sandboxErrors.with(handler).value += 1;
        metrics.containerErrors.with('CreatePodSandboxError', 'pod_sandbox').value += 1;
        throw error;
      }
    },
    async createContainer(sandboxId, config, sandboxConfig, options) {
      const uid = config.labels[runtimeLabels.podUid] ?? '';
      const type = kindNames[kindOf(uid, config.metadata.name) ?? 'containers'];
      metrics.startedContainers.with(type).value += 1;
      try {
        const id = await runtime.createContainer(sandboxId, config, sandboxConfig, options);
        types.set(id, type);
        return id;
      } catch (error) {
        metrics.containerErrors.with('CreateContainerError', type).value += 1;
        throw error;
      }
    },
    async startContainer(id, options) {
      const type = types.get(id) ?? 'container';
      types.delete(id);
      try {
        await runtime.startContainer(id, options);
      } catch (error) {
        metrics.containerErrors.with('RunContainerError', type).value += 1;
        throw error;
      }
    },
  };
}

const mebibyte = 2 ** 20;
const sizeNames: readonly (readonly [belowBytes: number, name: string])[] = [
  [10 * mebibyte, '0-10MB'],
  [100 * mebibyte, '10MB-100MB'],
  [500 * mebibyte, '100MB-500MB'],
  [1024 * mebibyte, '500MB-1GB'],
  [5 * 1024 * mebibyte, '1GB-5GB'],
  [10 * 1024 * mebibyte, '5GB-10GB'],
  [20 * 1024 * mebibyte, '10GB-20GB'],
  [30 * 1024 * mebibyte, '20GB-30GB'],
  [40 * 1024 * mebibyte, '30GB-40GB'],
  [60 * 1024 * mebibyte, '40GB-60GB'],
  [100 * 1024 * mebibyte, '60GB-100GB'],
];

/** Pulls by size: the kubelet asks for the image after each pull, which tells it. */
function measurePulls(
  images: ImageService,
  { metrics, clock }: { metrics: KubeletMetrics; clock: Clock },
): Pick<ImageService, 'pullImage' | 'imageStatus'> {
  const tookMs = new Map<string, number>();
  return {
    async pullImage(image, request, options) {
      const startMs = clock.monotonicMs();
      const reference = await images.pullImage(image, request, options);
      tookMs.set(image.image, clock.monotonicMs() - startMs);
      return reference;
    },
    async imageStatus(image, options) {
      const found = await images.imageStatus(image, options);
      const took = tookMs.get(image.image);
      if (found !== undefined && took !== undefined) {
        const name = sizeNames.find(([below]) => found.size < below)?.[1] ?? 'GT100GB';
        metrics.pullDuration.with(name).observe(took / 1000);
      }
      tookMs.delete(image.image);
      return found;
    },
  };
}
