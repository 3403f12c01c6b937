import { join } from 'node:path';
import { createEventRecorder, createInformerFactory, resources } from '#client/mod.ts';
import type { Node, Pod, RuntimeClass, Service } from '#schema/types.ts';
import { createImageGc } from './images/image-gc.ts';
import { createImagePuller } from './images/image-puller.ts';
import type { Image } from './cri/mod.ts';
import type { Kubelet, KubeletOptions } from './kubelet-options.ts';
import { kubeletLookups } from './kubelet-lookups.ts';
import { runHousekeeping } from './housekeeping.ts';
import { keepNodeLease } from './node/node-lease.ts';
import { nodeAllocatable, nodeCapacity } from './node/node-resources.ts';
import { createNodeReporter, nodeReference } from './node/node-reporter.ts';
import { createPressureWatch, evictionSignals } from './node/pressure.ts';
import { createRuntimeHealth } from './node/runtime-health.ts';
import { createKeyedBackOff } from './pods/crash-back-off.ts';
import { createMirrorPods } from './pods/mirror-pods.ts';
import { isMirrorPod, isStaticPod, namespaceOf, specOf, uidOf } from './pods/names.ts';
import { createObjectReader } from './pods/object-reader.ts';
import { createPleg } from './pods/pleg.ts';
import type { PodContext } from './pods/pod-context.ts';
import { createPodEvents } from './pods/pod-events.ts';
import { createPodRegistry } from './pods/pod-registry.ts';
import { createRuntimeCache } from './pods/runtime-cache.ts';
import { readySandbox, sandboxIps } from './pods/runtime-pod.ts';
import { createStaticPodSource } from './pods/static-pods.ts';
import { pressureRejection } from './node/pressure-rejection.ts';
import { createProbeRegistry } from './probes/probe-registry.ts';
import { createStatusPublisher } from './status/status-publisher.ts';
import { createStatusWriter } from './status/status-writer.ts';

/** How long a list of the node's images is good for its status. */
const imagesFreshMs = 60_000;

/** Builds the kubelet; nothing runs before start. */
export async function createKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, cri, nodeName, clock, random, log, machine, config } = options;
  const stopping = new AbortController();
  const signal = stopping.signal;
  const shared = { client, clock, random, log, signal };
  const recorder = createEventRecorder({ ...shared, component: 'kubelet', host: nodeName });
  const informers = createInformerFactory(shared);
  const podInformer = informers.informer<Pod>(resources.pods, {
    fieldSelector: `spec.nodeName=${nodeName}`,
  });
  const nodeInformer = informers.informer<Node>(resources.nodes, {
    fieldSelector: `metadata.name=${nodeName}`,
  });
  const serviceInformer = informers.informer<Service>(resources.services);
  const objects = createObjectReader(options);
  const events = createPodEvents(recorder);
  const allocatable = (): Readonly<Record<string, string>> =>
    reporter.node()?.status?.allocatable ?? {};
  const hostIps = (): readonly string[] => config.nodeIps.slice(0, 2);
  const volumes = await options.volumes({ objects, events: recorder, allocatable });

  const cache = createRuntimeCache({
    onChange: (uid) => registry.runtimeChanged(uid),
  });
  const pleg = createPleg({ runtime: cri.runtime, cache, clock, log });
  const health = createRuntimeHealth({
    runtime: cri.runtime,
    clock,
    lastRelistMs: () => pleg.lastRelistMs,
    onChange: () => reporter.poke(),
  });
  const probes = createProbeRegistry({
    runtime: cri.runtime,
    clock,
    random,
    events,
    runtimePod: (uid) => cache.pod(uid),
    podIp: (uid) => sandboxIps(readySandbox(cache.pod(uid)))[0] ?? hostIps()[0] ?? '',
    onResult: (uid, kind) => {
      registry.publish(uid);
      if (kind !== 'readiness') registry.runtimeChanged(uid);
    },
  });
  const context: PodContext = {
    ...options,
    runtime: cri.runtime,
    cache,
    pleg,
    events,
    volumes,
    seccompRoot: join(options.rootDir, 'seccomp'),
    probes,
    puller: createImagePuller({
      images: cri.images,
      clock,
      events,
      readSecret: (namespace, name) => objects.secret(namespace, name),
    }),
    crashBackOff: createKeyedBackOff({ clock, maxMs: config.maxContainerRestartPeriodMs }),
    containers: {
      objects,
      volumes,
      hostFiles: options.hostFiles,
      services: () => {
        if (serviceInformer.hasSynced) return serviceInformer.list();
        throw new Error('services have not yet been read at least once, cannot construct envvars');
      },
      allocatable,
      newId: () => random.bytes(4).toString('hex'),
      memoryBytes: machine.memoryBytes,
      cgroupVersion: options.cgroups.version,
      hasCpuQuota: config.hasCpuQuota,
      hasSwap: (machine.swapBytes ?? 0) > 0,
      seccompRoot: join(options.rootDir, 'seccomp'),
      isSeccompDefault: config.isSeccompDefault,
    },
    hostIps,
    runtimeHandler: async (pod) => {
      const name = specOf(pod).runtimeClassName ?? '';
      if (name === '') return '';
      return (await client.get<RuntimeClass>(resources.runtimeClasses, name)).handler;
    },
    networkProblem: () => health.networkProblem(),
  };

  const staticPods = new Map<string, Pod>();
  const apiPod = (pod: Pod): Pod | undefined => {
    const present = podInformer.get(`${namespaceOf(pod)}/${pod.metadata.name}`);
    if (isStaticPod(pod)) return present;
    return present !== undefined && uidOf(present) === uidOf(pod) ? present : pod;
  };
  const writer = createStatusWriter({ ...shared, apiPod });
  const publisher = createStatusPublisher({
    clock,
    log,
    cache,
    probes: () => probes,
    writer,
    hostFiles: options.hostFiles,
    hostIps,
  });
  const pressure = createPressureWatch({
    clock,
    transitionMs: config.evictionPressureTransitionMs,
  });
  const registry = createPodRegistry({
    ...shared,
    context,
    writer,
    publisher,
    node: () => reporter.node(),
    nodeRejection: (pod) => pressureRejection(pod, pressure.pressures()),
  });
  const mirrors = createMirrorPods({
    client,
    log,
    node: () => reporter.node(),
    find: (pod) => podInformer.get(`${namespaceOf(pod)}/${pod.metadata.name}`),
  });

  let images: { list: Image[]; atMs: number } | undefined;
  const listImages = async (): Promise<Image[]> => {
    if (images === undefined || clock.now() - images.atMs > imagesFreshMs) {
      const list = await cri.images.listImages().catch(() => undefined);
      if (list === undefined) return images?.list ?? [];
      images = { list, atMs: clock.now() };
    }
    return images.list;
  };
  const reporter = createNodeReporter({
    ...shared,
    recorder,
    config,
    machine,
    nodeName,
    facts: async () => {
      const usage = await options.machineUsage();
      pressure.observe(evictionSignals(machine, usage, config));
      return {
        nodeName,
        machine,
        usage,
        config,
        images: await listImages(),
        version: health.version,
        runtimeStatus: health.status,
        volumesInUse: volumes.inUse(),
        pressures: pressure.pressures(),
        problems: health.problems(),
        nowMs: clock.now(),
      };
    },
  });
  const imageGc = createImageGc({
    images: cri.images,
    clock,
    log,
    highPercent: config.imageGcHighThresholdPercent,
    lowPercent: config.imageGcLowThresholdPercent,
    minimumAgeMs: config.imageMinimumGcAgeMs,
    inUse: () =>
      new Set(
        cache
          .pods()
          .flatMap(({ containers }) => containers)
          .flatMap(({ imageRef, imageId, image }) => [imageRef, imageId, image?.image ?? '']),
      ),
  });

  const setStaticPods = (pods: readonly Pod[]): void => {
    const uids = new Set(pods.map(uidOf));
    for (const [uid, pod] of staticPods) {
      if (uids.has(uid)) continue;
      staticPods.delete(uid);
      registry.remove(uid);
      const mirror = apiPod(pod);
      const isReplaced = pods.some(({ metadata }) => metadata.name === pod.metadata.name);
      if (mirror !== undefined && !isReplaced) void mirrors.remove(mirror);
    }
    for (const pod of pods) {
      staticPods.set(uidOf(pod), pod);
      registry.set(pod);
      void mirrors.ensure(pod);
    }
  };
  const staticPodOf = (mirror: Pod): Pod | undefined =>
    [...staticPods.values()].find(
      ({ metadata }) =>
        metadata.name === mirror.metadata.name && metadata.namespace === mirror.metadata.namespace,
    );
  const onMirror = (mirror: Pod, isGone: boolean): void => {
    const pod = staticPodOf(mirror);
    if (pod === undefined) {
      if (!isGone) void mirrors.remove(mirror);
    } else {
      void mirrors.ensure(pod).then(() => registry.publish(uidOf(pod)));
    }
  };
  const followPods = (): void => {
    podInformer.addHandler({
      onAdd: (pod) => (isMirrorPod(pod) ? onMirror(pod, false) : registry.set(pod)),
      onUpdate: (_old, pod) => (isMirrorPod(pod) ? onMirror(pod, false) : registry.set(pod)),
      onDelete: (pod) => (isMirrorPod(pod) ? onMirror(pod, true) : registry.remove(uidOf(pod))),
    });
  };

  const running: Promise<unknown>[] = [];
  const begin = async (): Promise<void> => {
    informers.start();
    nodeInformer.addHandler({
      onAdd: (node) => reporter.observe(node),
      onUpdate: (_old, node) => reporter.observe(node),
    });
    running.push(pleg.run(signal), health.run(signal), informers.done());
    const registering = reporter.register(signal);
    await firstRelist();
    if (config.staticPodPath !== '') {
      const source = createStaticPodSource({
        ...options,
        directory: config.staticPodPath,
        onPods: setStaticPods,
      });
      running.push(source.run(signal));
    }
    await registering;
    recorder.event(nodeReference(nodeName), 'Normal', 'Starting', 'Starting kubelet.');
    running.push(
      reporter.run(signal),
      keepNodeLease({
        ...shared,
        nodeName,
        durationSeconds: config.nodeLeaseDurationSeconds,
        node: () => reporter.node(),
      }),
    );
    await podInformer.synced(signal);
    followPods();
    for (const pod of staticPods.values()) void mirrors.ensure(pod);
    await registry.adoptOrphans();
    running.push(runHousekeeping({ ...options, recorder, cache, imageGc, registry, signal }));
  };
  const firstRelist = async (): Promise<void> => {
    while (pleg.lastRelistMs === 0) {
      signal.throwIfAborted();
      await pleg.relist().catch(() => clock.sleep(100, signal));
    }
  };

  return {
    ...kubeletLookups({ cache, registry, publisher, hostPaths: options.hostPaths }),
    async start(outer) {
      outer.throwIfAborted();
      outer.addEventListener('abort', () => stopping.abort(outer.reason), { once: true });
      await begin();
    },
    async done() {
      await registry.stop();
      probes.stop();
      await Promise.allSettled(running);
      await recorder.flush();
    },
    get node() {
      return reporter.node();
    },
    problems: () => health.problems(),
    endPod: (uid, verdict, graceSeconds) =>
      registry.end(uid, { phase: 'Failed', ...verdict }, graceSeconds),
  };
}

/** What a node of this machine offers to pods, before it is registered. */
export function machineAllocatable(
  options: Pick<KubeletOptions, 'machine' | 'config'> & {
    usage: Parameters<typeof nodeCapacity>[1];
  },
): Record<string, string> {
  const { machine, config, usage } = options;
  return nodeAllocatable(nodeCapacity(machine, usage, config), config);
}
