import { join } from 'node:path';
import type { EventRecorder, Informer } from '#client/mod.ts';
import { resources } from '#client/mod.ts';
import type { Pod, RuntimeClass, Service } from '#schema/types.ts';
import type { ObjectReader } from '../containers/environment.ts';
import { createImagePuller } from '../images/image-puller.ts';
import type { PullRecords } from '../images/pull-records.ts';
import type { KubeletOptions } from '../kubelet-options.ts';
import type { NodeSide } from '../node/node-side.ts';
import type { NodeShutdown } from '../node/node-shutdown.ts';
import { pressureRejection } from '../node/pressure-rejection.ts';
import { measureStatuses } from '../metrics/mod.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
import type { AllocationStore } from '../resize/allocation-store.ts';
import { createPodResizes } from '../resize/pod-resizes.ts';
import type { PodResizes } from '../resize/pod-resizes.ts';
import { createProbeRegistry } from '../probes/probe-registry.ts';
import type { ProbeRegistry } from '../probes/probe-registry.ts';
import { createStatusPublisher } from '../status/status-publisher.ts';
import type { StatusPublisher } from '../status/status-publisher.ts';
import { createStatusWriter } from '../status/status-writer.ts';
import type { VolumeManager } from '../volume-host.ts';
import { createKeyedBackOff } from './crash-back-off.ts';
import { specOf } from './names.ts';
import { createPleg } from './pleg.ts';
import type { Pleg } from './pleg.ts';
import type { PodContext } from './pod-context.ts';
import { createPodEvents } from './pod-events.ts';
import { createPodRegistry } from './pod-registry.ts';
import type { PodRegistry } from './pod-registry.ts';
import { createRuntimeCache } from './runtime-cache.ts';
import type { RuntimeCache } from './runtime-cache.ts';
import { hugePageSizes } from '../machine-info.ts';
import { readySandbox, sandboxIps } from './runtime-pod.ts';
import { createUserNamespaces } from './user-namespaces.ts';

/** Everything that runs pods, from the runtime's lists to the statuses on the API server. */
export interface PodSide {
  readonly cache: RuntimeCache;
  readonly pleg: Pleg;
  readonly probes: ProbeRegistry;
  readonly registry: PodRegistry;
  readonly publisher: StatusPublisher;
  readonly resizes: Pick<PodResizes, 'findings'>;
}

export interface PodSideOptions extends KubeletOptions {
  readonly recorder: EventRecorder;
  readonly objects: ObjectReader;
  readonly volumeManager: VolumeManager;
  readonly devices: PodContext['devices'];
  readonly topology: PodContext['topology'];
  readonly services: Informer<Service>;
  readonly nodeSide: NodeSide;
  /** The API's object of a pod: itself, or a static pod's mirror. */
  readonly apiPod: (pod: Pod) => Pod | undefined;
  readonly shutdown: () => NodeShutdown;
  readonly pullRecords: PullRecords;
  /** Read before the first pod is looked at. */
  readonly allocations: AllocationStore;
  readonly metrics: KubeletMetrics;
  readonly signal: AbortSignal;
}

export function createPodSide(options: PodSideOptions): PodSide {
  const { cri, clock, log, nodeSide } = options;
  const { runtime } = cri;
  const events = createPodEvents(options.recorder);
  const hostIps = (): readonly string[] => options.config.nodeIps.slice(0, 2);
  const cache = createRuntimeCache({ onChange: (uid) => registry.runtimeChanged(uid) });
  const pleg = createPleg({ runtime, cache, clock, log, metrics: options.metrics });
  const probes = createProbeRegistry({
    ...options,
    runtime,
    events,
    runtimePod: (uid) => cache.pod(uid),
    podIp: (uid) => sandboxIps(readySandbox(cache.pod(uid)))[0] ?? hostIps()[0] ?? '',
    onResult: (uid, kind) => {
      registry.publish(uid);
      if (kind !== 'readiness') registry.runtimeChanged(uid);
    },
  });
  const resizes = createPodResizes({
    store: options.allocations,
    events,
    node: () => nodeSide.reporter.node(),
    active: () => registry.active(),
    limits: {
      isCpuStatic: options.cpus?.policy === 'static',
      isMemoryStatic: options.memory?.policy === 'Static',
      hasLimitedSwap: options.config.hasLimitedSwap,
      memoryBytes: options.machine.memoryBytes,
      swapBytes: options.cgroups.version === 2 ? (options.machine.swapBytes ?? 0) : 0,
    },
    onGranted: (pod) => registry.resized(pod),
  });
  const writer = measureStatuses(createStatusWriter(options), options);
  const publisher = createStatusPublisher({
    ...options,
    cache,
    probes: () => probes,
    writer,
    hostIps,
    resizes: () => resizes,
  });
  const context = podContext(options, {
    cache,
    pleg,
    probes,
    events,
    hostIps,
    resizes,
  });
  const registry = createPodRegistry({
    ...options,
    context,
    writer,
    publisher,
    node: () => nodeSide.reporter.node(),
    nodeRejection: (pod) =>
      options.shutdown().rejection() ?? pressureRejection(pod, nodeSide.pressure.pressures()),
  });
  return { cache, pleg, probes, registry, publisher, resizes };
}

function podContext(
  options: PodSideOptions,
  parts: Pick<PodContext, 'cache' | 'pleg' | 'probes' | 'events' | 'hostIps' | 'resizes'>,
): PodContext {
  const { client, cri, clock, random, machine, config, objects, services, nodeSide } = options;
  const { runtime, images } = cri;
  const { events } = parts;
  const volumes = options.volumeManager;
  const seccompRoot = join(options.rootDir, 'seccomp');
  return {
    ...options,
    ...parts,
    runtime,
    volumes,
    seccompRoot,
    puller: createImagePuller({
      images,
      clock,
      events,
      readSecret: objects.secret,
      nodeCredentials: options.nodeCredentials,
      records: options.pullRecords,
      maxParallel: config.maxParallelImagePulls,
    }),
    userNamespaces: createUserNamespaces({
      rootDir: options.rootDir,
      runtimeStatus: () => nodeSide.health.status,
    }),
    crashBackOff: createKeyedBackOff({ clock, maxMs: config.maxContainerRestartPeriodMs }),
    containers: {
      objects,
      volumes,
      hostFiles: options.hostFiles,
      services: () => {
        if (services.hasSynced) return services.list();
        throw new Error('services have not yet been read at least once, cannot construct envvars');
      },
      allocatable: () => nodeSide.allocatable(),
      newId: () => random.bytes(4).toString('hex'),
      memoryBytes: machine.memoryBytes,
      cgroupVersion: options.cgroups.version,
      hasCpuQuota: config.hasCpuQuota,
      cpuQuotaPeriodUs: config.cpuQuotaPeriodUs,
      hasExclusiveCpus: (pod, container) => options.cpus?.hasExclusive(pod, container) === true,
      swapBytes: machine.swapBytes ?? 0,
      hasLimitedSwap: config.hasLimitedSwap,
      isSingleProcessOomKill: config.isSingleProcessOomKill,
      hugePageSizes: hugePageSizes(machine),
      seccompRoot,
      isSeccompDefault: config.isSeccompDefault,
      hasRecursiveReadOnly: (pod) => {
        const name = specOf(pod).runtimeClassName ?? '';
        const handlers = nodeSide.health.status?.runtimeHandlers ?? [];
        const handler = handlers.find((one) => one.name === name);
        return handler?.features?.recursiveReadOnlyMounts === true;
      },
    },
    runtimeHandler: async (pod) => {
      const name = specOf(pod).runtimeClassName ?? '';
      if (name === '') return '';
      return (await client.get<RuntimeClass>(resources.runtimeClasses, name)).handler;
    },
    networkProblem: () => nodeSide.health.networkProblem(),
  };
}
