import type { EventRecorder } from '#client/mod.ts';
import type { ImageGc } from '../images/image-gc.ts';
import type { KubeletOptions } from '../kubelet-options.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
import type { NodeSide } from '../node/node-side.ts';
import { collectContainers } from '../pods/container-gc.ts';
import type { PodSide } from '../pods/pod-side.ts';
import { runEviction } from './eviction.ts';
import { createUsageGatherer } from './usage-gatherer.ts';

/** Builds eviction out of the kubelet's parts and runs it until the signal is aborted. */
export function startEviction(
  options: KubeletOptions & {
    recorder: EventRecorder;
    podSide: Pick<PodSide, 'cache' | 'registry'>;
    nodeSide: Pick<NodeSide, 'pressure' | 'reporter'>;
    imageGc: ImageGc;
    metrics: KubeletMetrics;
    signal: AbortSignal;
  },
): Promise<void> {
  const { cri, podSide, nodeSide, imageGc, podUsage = async () => undefined } = options;
  const { cache, registry } = podSide;
  const { pressure, reporter } = nodeSide;
  return runEviction({
    ...options,
    async podsMemory() {
      const all = await options.podsUsage?.();
      if (all?.memoryLimitBytes === undefined) return undefined;
      return { limitBytes: all.memoryLimitBytes, workingSetBytes: all.memoryWorkingSetBytes };
    },
    usages: createUsageGatherer({
      ...options,
      runtime: cri.runtime,
      podLogs: options.hostPaths.podLogs,
      podUsage,
    }),
    states: () => registry.states(),
    end: (uid, verdict, graceSeconds) => registry.end(uid, verdict, graceSeconds),
    async reclaimDisk() {
      await collectContainers({ ...options, runtime: cri.runtime, cache });
      await imageGc.collectAll();
    },
    onScarce(resources) {
      const before = JSON.stringify(pressure.pressures());
      pressure.note(resources);
      if (JSON.stringify(pressure.pressures()) !== before) reporter.poke();
    },
  });
}
