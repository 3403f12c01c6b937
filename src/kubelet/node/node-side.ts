import type { EventRecorder } from '#client/mod.ts';
import type { Image } from '../cri/mod.ts';
import type { KubeletOptions } from '../kubelet-options.ts';
import type { DeviceCounts } from './node-object.ts';
import { createNodeReporter } from './node-reporter.ts';
import type { NodeReporter } from './node-reporter.ts';
import { createPressureWatch, evictionSignals } from './pressure.ts';
import type { PressureWatch } from './pressure.ts';
import { createRuntimeHealth } from './runtime-health.ts';
import type { RuntimeHealth } from './runtime-health.ts';

/** Everything about the Node object: what goes into it, and how it gets to the API server. */
export interface NodeSide {
  readonly reporter: NodeReporter;
  readonly health: RuntimeHealth;
  readonly pressure: PressureWatch;
  /** node.status.allocatable as last reported; empty before the registration. */
  allocatable(): Readonly<Record<string, string>>;
}

/** How long a list of the node's images is good for its status. */
const imagesFreshMs = 60_000;

export function createNodeSide(
  options: KubeletOptions & {
    recorder: EventRecorder;
    lastRelistMs: () => number;
    volumesInUse: () => readonly string[];
    deviceCounts?: (() => DeviceCounts) | undefined;
    /** Why the node is not ready although the runtime is. */
    shutdownProblem: () => string | undefined;
  },
): NodeSide {
  const { cri, clock, config, machine, nodeName } = options;
  const pressure = createPressureWatch({
    clock,
    transitionMs: config.evictionPressureTransitionMs,
  });
  let images: { list: Image[]; atMs: number } | undefined;
  const listImages = async (): Promise<Image[]> => {
    if (images === undefined || clock.now() - images.atMs > imagesFreshMs) {
      // A runtime that is down has its own place in the status.
      const list = await cri.images.listImages().catch(() => undefined);
      if (list === undefined) return images?.list ?? [];
      images = { list, atMs: clock.now() };
    }
    return images.list;
  };
  const reporter: NodeReporter = createNodeReporter({
    ...options,
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
        volumesInUse: options.volumesInUse(),
        pressures: pressure.pressures(),
        problems: [...health.problems(), ...[options.shutdownProblem() ?? []].flat()],
        devices: options.deviceCounts?.(),
        nowMs: clock.now(),
      };
    },
  });
  const health = createRuntimeHealth({
    runtime: cri.runtime,
    clock,
    lastRelistMs: options.lastRelistMs,
    onChange: () => reporter.poke(),
  });
  return {
    reporter,
    health,
    pressure,
    allocatable: () => reporter.node()?.status?.allocatable ?? {},
  };
}
