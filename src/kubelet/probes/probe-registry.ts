import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { Pod, Probe } from '#schema/types.ts';
import type { RuntimeService } from '../cri/mod.ts';
import { containersOf, isSidecar, uidOf } from '../pods/names.ts';
import type { PodContainer } from '../pods/names.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import type { RuntimePod } from '../pods/runtime-pod.ts';
import { probeMetricsText } from './probe-metrics.ts';
import { createProbeWorker } from './probe-worker.ts';
import type { ProbeWorker } from './probe-worker.ts';
import type { ProbeKind, ProbeResult, ProbeResults } from './results.ts';

/** The probes of all pods on this node, and their results by container. */
export interface ProbeRegistry extends ProbeResults {
  /** Starts the probes that do not run yet; call it again with every newer version of the pod. */
  addPod(pod: Pod): void;
  /** A pod that goes is only probed for readiness. */
  stopLivenessAndStartup(uid: string): void;
  removePod(uid: string): void;
  /** A container of the pod was started: probe it now. */
  kick(uid: string): void;
  /** Prometheus text: how often the probes had which result. */
  metrics(): string;
  stop(): void;
}

interface PodProbes {
  readonly workers: Map<string, ProbeWorker>;
  readonly containerIds: Set<string>;
}

const kinds: readonly ProbeKind[] = ['startup', 'liveness', 'readiness'];

/** `onResult` is called when a result changes. */
export function createProbeRegistry(options: {
  runtime: RuntimeService;
  clock: Clock;
  random: Random;
  events: PodEvents;
  runtimePod: (uid: string) => RuntimePod;
  podIp: (uid: string) => string;
  onResult: (uid: string, kind: ProbeKind) => void;
}): ProbeRegistry {
  const pods = new Map<string, PodProbes>();
  const results = new Map<string, ProbeResult>();
  const startedMs = options.clock.now();

  const setResult = (kind: ProbeKind, uid: string, id: string, result: ProbeResult): void => {
    const probes = pods.get(uid);
    if (probes === undefined) return;
    const key = `${kind}/${id}`;
    probes.containerIds.add(id);
    if (results.get(key) === result) return;
    results.set(key, result);
    if (kind === 'startup' && result === 'Success') kick(uid);
    options.onResult(uid, kind);
  };
  const kick = (uid: string): void => {
    for (const worker of pods.get(uid)?.workers.values() ?? []) worker.kick();
  };
  const context = {
    ...options,
    startedMs,
    setResult,
    isStarted: ({ container }: PodContainer, id: string): boolean =>
      container.startupProbe === undefined || results.get(`startup/${id}`) === 'Success',
  };

  return {
    get: (kind, id) => results.get(`${kind}/${id}`),
    addPod(pod) {
      const uid = uidOf(pod);
      const probes = pods.get(uid) ?? { workers: new Map(), containerIds: new Set() };
      pods.set(uid, probes);
      for (const of of containersOf(pod)) {
        for (const kind of kinds) {
          const probe = probeOf(of, kind);
          const key = `${of.container.name}/${kind}`;
          if (probe === undefined) continue;
          const known = probes.workers.get(key);
          if (known !== undefined) known.updatePod(pod);
          else probes.workers.set(key, createProbeWorker({ pod, of, kind, probe }, context));
        }
      }
    },
    stopLivenessAndStartup(uid) {
      const probes = pods.get(uid);
      for (const [key, worker] of probes?.workers ?? []) {
        if (key.endsWith('/readiness')) continue;
        worker.stop();
        probes?.workers.delete(key);
      }
    },
    removePod(uid) {
      const probes = pods.get(uid);
      if (probes === undefined) return;
      for (const worker of probes.workers.values()) worker.stop();
      for (const id of probes.containerIds)
        for (const kind of kinds) results.delete(`${kind}/${id}`);
      pods.delete(uid);
    },
    kick,
    metrics: () =>
      probeMetricsText(
        [...pods.values()].flatMap(({ workers }) =>
          [...workers.values()].map(({ counts }) => counts),
        ),
      ),
    stop() {
      for (const { workers } of pods.values()) for (const worker of workers.values()) worker.stop();
      pods.clear();
    },
  };
}

/** Regular init containers and ephemeral containers are never probed. */
function probeOf(of: PodContainer, kind: ProbeKind): Probe | undefined {
  if (of.kind !== 'containers' && !isSidecar(of)) return undefined;
  return of.container[`${kind}Probe`];
}
