import { once } from 'node:events';
import { messageOf } from '#base/errors.ts';
import { createEventRecorder, createInformerFactory, resources } from '#client/mod.ts';
import type { EventRecorder } from '#client/mod.ts';
import type { Node, Pod, Service } from '#schema/types.ts';
import { pinContainers } from './cpus/pin-containers.ts';
import { createDevicePlugins } from './devices/device-plugins.ts';
import { startEviction } from './eviction/start-eviction.ts';
import { runHousekeeping } from './housekeeping.ts';
import { createImageGc } from './images/image-gc.ts';
import { createPullRecords } from './images/pull-records.ts';
import type { PullRecords } from './images/pull-records.ts';
import { kubeletLookups } from './kubelet-lookups.ts';
import type { Kubelet, KubeletOptions } from './kubelet-options.ts';
import {
  addPodGauges,
  addNodeGauges,
  addProcessMetrics,
  addVolumeCounts,
  addVolumeGauges,
  createKubeletMetrics,
  measureCgroups,
  measureClient,
  measureImageVolumes,
  measureRuntime,
} from './metrics/mod.ts';
import type { KubeletMetrics } from './metrics/mod.ts';
import { keepNodeLease } from './node/node-lease.ts';
import { createNodeShutdown } from './node/node-shutdown.ts';
import { createNodeSide } from './node/node-side.ts';
import { nodeAllocatable, nodeCapacity } from './node/node-resources.ts';
import { plegThresholdMs } from './node/runtime-health.ts';
import { nodeReference } from './node/node-reporter.ts';
import { findContainer, isMirrorPod } from './pods/names.ts';
import { createObjectReader } from './pods/object-reader.ts';
import { createTopologyManager, NumaNodes } from './topology/mod.ts';
import { createPodSide } from './pods/pod-side.ts';
import type { PodSide } from './pods/pod-side.ts';
import { createPodSources } from './pods/pod-sources.ts';
import { createAllocationStore } from './resize/allocation-store.ts';
import type { VolumeManager } from './volume-host.ts';
import { createClaimUsageReader } from './volumes/claim-usage.ts';

/** Builds the kubelet; nothing runs before start. */
export async function createKubelet(given: KubeletOptions): Promise<Kubelet> {
  const { nodeName, clock, config, hostPaths } = given;
  const metrics = createKubeletMetrics();
  const options: KubeletOptions = {
    ...given,
    cgroups: measureCgroups(given.cgroups, { metrics, clock }),
    client: measureClient(given.client, { metrics, clock, host: given.apiHost ?? '' }),
    cri: measureRuntime(given.cri, {
      metrics,
      clock,
      kindOf: (uid, name) => {
        const pod = podSide.registry.get(uid)?.pod;
        return pod === undefined ? undefined : findContainer(pod, name)?.kind;
      },
    }),
  };
  const { client } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const recorder = createEventRecorder({
    ...options,
    component: 'kubelet',
    host: nodeName,
    signal,
  });
  const informers = createInformerFactory({ ...options, signal });
  const pods = informers.informer<Pod>(resources.pods, {
    fieldSelector: `spec.nodeName=${nodeName}`,
  });
  const nodes = informers.informer<Node>(resources.nodes, {
    fieldSelector: `metadata.name=${nodeName}`,
  });
  const services = informers.informer<Service>(resources.services);
  const objects = createObjectReader(options);
  const volumes = await options.volumes({
    objects,
    events: recorder,
    allocatable: () => nodeSide.allocatable(),
    inUseChanged: () => nodeSide.reporter.poke(),
    onMount: ({ plugin, isOk, tookMs }) => {
      const status = isOk ? 'success' : 'fail-unknown';
      metrics.storageOperations
        .with('false', 'volume_mount', status, plugin)
        .observe(tookMs / 1000);
    },
  });
  const volumeManager = measureImageVolumes(volumes, metrics);
  const devices = createDevicePlugins({
    directory: options.devicePlugins?.directory ?? '',
    clock,
    log: options.log,
    nodes: options.numaNodes,
    cpus: options.cpus,
    memory: options.memory,
    metrics,
    onChange: () => reporter.poke(),
  });
  const topology = createTopologyManager({
    policy: config.topologyManagerPolicy,
    scope: config.topologyManagerScope,
    policyOptions: config.topologyManagerPolicyOptions,
    nodes: options.numaNodes ?? new NumaNodes([0]),
    providers: [devices.provider, options.cpus, options.memory].filter((one) => one !== undefined),
    clock,
    metrics,
  });
  const nodeSide = createNodeSide({
    deviceCounts: () => devices.counts(),
    ...options,
    recorder,
    lastRelistMs: () => podSide.pleg.lastRelistMs,
    volumesInUse: () => volumeManager.inUse(),
    shutdownProblem: () => shutdown.problem(),
  });
  const { reporter, health } = nodeSide;
  const sources = createPodSources({
    ...options,
    recorder,
    pods,
    node: () => reporter.node(),
    registry: () => podSide.registry,
  });
  const { apiPod } = sources;
  const allocations = createAllocationStore(options);
  const pullRecords = createPullRecords({
    ...options,
    policy: config.pullVerification,
    allowlist: config.pullAllowlist,
  });
  const shutdown = createNodeShutdown({
    ...options,
    periods: config.shutdownPeriods,
    states: () => podSide.registry.states(),
    end: (uid, verdict, graceSeconds) => podSide.registry.end(uid, verdict, graceSeconds),
    onChange: () => reporter.poke(),
  });
  const parts = {
    shutdown: () => shutdown,
    allocations,
    pullRecords,
    recorder,
    objects,
    volumeManager,
    devices,
    topology,
    services,
    nodeSide,
    apiPod,
    metrics,
    signal,
  };
  const podSide: PodSide = createPodSide({ ...options, ...parts });
  const { cache, pleg, probes, registry } = podSide;
  const running: Promise<unknown>[] = [];
  const claimUsage = createClaimUsageReader({
    clock,
    mounted: (uid) => volumeManager.mounted?.(uid) ?? new Map(),
  });
  addProcessMetrics(metrics.registry, { clock });
  addVolumeGauges(metrics.registry, { pods: () => registry.active(), usageOf: claimUsage });
  const mounted = (uid: string) => volumeManager.mounted?.(uid) ?? new Map();
  addVolumeCounts(metrics.registry, { pods: () => registry.active(), mounted });
  const nodeGauges = addNodeGauges(metrics.registry, () => shutdown.times());
  addPodGauges(metrics.registry, {
    nodeName,
    cgroupVersion: options.cgroups.version,
    registry,
    cache,
    lastRelistMs: () => pleg.lastRelistMs,
    resizeFindings: (uid) => podSide.resizes.findings(uid),
    mirrorCount: () => pods.list().filter(isMirrorPod).length,
    cpus: options.cpus,
    memory: options.memory,
  });

  const begin = async (): Promise<void> => {
    const startMs = clock.monotonicMs();
    await allocations.load();
    if (options.devicePlugins !== undefined) {
      const { podResourcesSocket } = options.devicePlugins;
      running.push(devices.run({ podResourcesSocket, pods: () => registry.active(), signal }));
    }
    informers.start();
    nodes.addHandler({
      onAdd: (node) => reporter.observe(node),
      onUpdate: (_old, node) => reporter.observe(node),
    });
    running.push(pleg.run(signal), health.run(signal), informers.done());
    const registeringMs = clock.monotonicMs();
    const registering = reporter.register(signal);
    // What runs already must be known before the first pod is looked at, or it would run twice.
    while (pleg.lastRelistMs === 0) await pleg.relist().catch(() => clock.sleep(100, signal));
    // Static pods need no API server: they may be what runs it.
    running.push(sources.runStatic(signal));
    await registering;
    nodeGauges.started({
      beforeRegistration: (registeringMs - startMs) / 1000,
      registration: (clock.monotonicMs() - registeringMs) / 1000,
    });
    signal.throwIfAborted();
    recorder.event(nodeReference(nodeName), 'Normal', 'Starting', 'Starting kubelet.');
    await enforceNodeAllocatable(options, recorder);
    const durationSeconds = config.nodeLeaseDurationSeconds;
    const node = (): Node | undefined => reporter.node();
    running.push(
      reporter.run(signal),
      keepNodeLease({ ...options, durationSeconds, node, signal, client }),
    );
    await pods.synced(signal);
    sources.follow();
    await registry.adoptOrphans();
    const imageGc = imageGcOf(options, { ...podSide, volumeManager, pullRecords, metrics });
    running.push(
      runHousekeeping({ ...options, recorder, cache, imageGc, registry, signal }),
      startEviction({ ...options, recorder, podSide, nodeSide, imageGc, metrics, signal }),
    );
    if (options.cpus !== undefined) {
      running.push(
        pinContainers({
          cpus: options.cpus,
          runtime: options.cri.runtime,
          pods: () => registry.active(),
          holders: () => registry.holders(),
          runtimePod: (uid) => cache.pod(uid),
          intervalMs: config.cpuManagerReconcileMs,
          clock,
          log: options.log,
          signal,
        }),
      );
    }
  };

  return {
    ...kubeletLookups({ ...podSide, hostPaths }),
    async start(outer) {
      outer.throwIfAborted();
      outer.addEventListener('abort', () => stopping.abort(outer.reason), { once: true });
      await begin();
    },
    async done() {
      if (!signal.aborted) await once(signal, 'abort');
      await registry.stop();
      probes.stop();
      await Promise.allSettled(running);
      await allocations.flushed();
      await options.cpus?.saved();
      await options.memory?.saved();
      await recorder.flush();
    },
    get node() {
      return reporter.node();
    },
    problems: () => [...health.problems(), ...[shutdown.problem() ?? []].flat()],
    shutDown: () => shutdown.begin(),
    cancelShutdown: () => shutdown.cancel(),
    claimUsage,
    metrics,
    probeMetrics: () => probes.metrics(),
    isSyncing: () => clock.now() - pleg.lastRelistMs < plegThresholdMs,
    endPod: (uid, verdict, graceSeconds) =>
      registry.end(uid, { phase: 'Failed', ...verdict }, graceSeconds),
  };
}

/** Upstream's order: pods first, whose failure is tried again by each pod; the others end the start. */
async function enforceNodeAllocatable(
  { cgroups, nodeName, config, enforceReserved = async () => [] }: KubeletOptions,
  recorder: EventRecorder,
): Promise<void> {
  const about = nodeReference(nodeName);
  const failed = (message: string): void =>
    recorder.event(about, 'Warning', 'FailedNodeAllocatableEnforcement', message);
  const done = (message: string): void =>
    recorder.event(about, 'Normal', 'NodeAllocatableEnforced', message);
  try {
    await cgroups.prepare?.();
    if (config.enforceNodeAllocatable.includes('pods')) {
      done('Updated Node Allocatable limit across pods');
    }
  } catch (error) {
    failed(`Failed to update Node Allocatable Limits "/kubepods": ${messageOf(error)}`);
  }
  try {
    for (const message of await enforceReserved()) done(message);
  } catch (error) {
    failed(messageOf(error));
    throw error;
  }
}

function imageGcOf(
  { cri, clock, log, config }: KubeletOptions,
  parts: Pick<PodSide, 'cache'> & {
    volumeManager: VolumeManager;
    pullRecords: PullRecords;
    metrics: KubeletMetrics;
  },
) {
  const { cache, volumeManager } = parts;
  return createImageGc({
    metrics: parts.metrics,
    images: cri.images,
    clock,
    log,
    highPercent: config.imageGcHighThresholdPercent,
    lowPercent: config.imageGcLowThresholdPercent,
    minimumAgeMs: config.imageMinimumGcAgeMs,
    maximumAgeMs: config.imageMaximumGcAgeMs,
    records: parts.pullRecords,
    inUse: async () => {
      const containers = cache.pods().flatMap((pod) => pod.containers);
      const names = containers.flatMap(({ imageRef, imageId, image }) => [
        imageRef,
        imageId,
        image?.image ?? '',
      ]);
      return new Set([...names, ...(await volumeManager.imagesInUse())]);
    },
  });
}

/** What a machine offers to pods, known before the node is registered; for the cgroup of all pods. */
export function machineAllocatable(
  options: Pick<KubeletOptions, 'machine' | 'config'> & {
    usage: Parameters<typeof nodeCapacity>[1];
  },
): Record<string, string> {
  const { machine, config, usage } = options;
  return nodeAllocatable(nodeCapacity(machine, usage, config), config);
}
