import type { Clock, Timer } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { Pod, Probe } from '#schema/types.ts';
import { uidOf } from '../pods/names.ts';
import type { PodContainer } from '../pods/names.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import { criTimeMs, isRunning, latestContainer } from '../pods/runtime-pod.ts';
import type { RuntimeContainer, RuntimePod } from '../pods/runtime-pod.ts';
import { runProbe } from './prober.ts';
import type { ProbeCounts } from './probe-metrics.ts';
import type { ProbeKind, ProbeResult } from './results.ts';
import type { RuntimeService } from '../cri/mod.ts';

export const initialResults: Readonly<Record<ProbeKind, ProbeResult>> = {
  readiness: 'Failure',
  liveness: 'Success',
  startup: 'Unknown',
};

const titles: Readonly<Record<ProbeKind, string>> = {
  readiness: 'Readiness',
  liveness: 'Liveness',
  startup: 'Startup',
};

const maxAttempts = 3;

export interface ProbeWorkerContext {
  readonly runtime: RuntimeService;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: PodEvents;
  readonly runtimePod: (uid: string) => RuntimePod;
  readonly podIp: (uid: string) => string;
  readonly isStarted: (container: PodContainer, containerId: string) => boolean;
  readonly setResult: (kind: ProbeKind, podUid: string, id: string, result: ProbeResult) => void;
  /** When the kubelet started: probes of containers older than it are spread over their period. */
  readonly startedMs: number;
}

/** Runs one probe of one container until it is stopped. */
export interface ProbeWorker {
  /** Looks at once, for example because the container has just started. */
  kick(): void;
  stop(): void;
  updatePod(pod: Pod): void;
  readonly counts: ProbeCounts;
}

export function createProbeWorker(
  initial: { pod: Pod; of: PodContainer; kind: ProbeKind; probe: Probe },
  context: ProbeWorkerContext,
): ProbeWorker {
  const { of, kind, probe } = initial;
  const { clock } = context;
  const controller = new AbortController();
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const uid = uidOf(initial.pod);
  let { pod } = initial;
  let timer: Timer | undefined;
  let containerId: string | undefined;
  let lastResult: ProbeResult | undefined;
  let streak = 0;
  let isBusy = false;
  const results = new Map<ProbeResult, number>();
  /** A container whose restart was asked for is left alone until it is another one. */
  let isOnHold = false;

  const schedule = (delayMs: number): void => {
    timer?.cancel();
    if (!controller.signal.aborted) timer = clock.after(delayMs, tick);
  };
  const tick = (): void => {
    if (isBusy) return;
    isBusy = true;
    void probeOnce()
      .then(schedule)
      .finally(() => {
        isBusy = false;
      });
  };

  /** Returns when to look again. */
  const probeOnce = async (): Promise<number> => {
    const container = latestContainer(context.runtimePod(uid), of.container.name);
    if (container === undefined) return periodMs;
    adopt(container);
    if (!isRunning(container)) {
      if (kind === 'readiness') context.setResult(kind, uid, container.id, 'Failure');
      return periodMs;
    }
    if (isOnHold) return periodMs;
    const runningMs = clock.now() - criTimeMs(container.startedAt);
    const initialDelayMs = (probe.initialDelaySeconds ?? 0) * 1000;
    if (runningMs < initialDelayMs) return initialDelayMs - runningMs;
    const isStarted = context.isStarted(of, container.id);
    // Until it is started only the startup probe runs, and then never again.
    if (isStarted === (kind === 'startup')) return kind === 'startup' ? periodMs : 1000;
    await probeContainer(container);
    return periodMs;
  };

  const adopt = (container: RuntimeContainer): void => {
    if (container.id === containerId) return;
    containerId = container.id;
    lastResult = undefined;
    streak = 0;
    isOnHold = false;
    // A container from before a restart of the kubelet keeps its state until it is probed.
    const isOlder = isRunning(container) && criTimeMs(container.startedAt) < context.startedMs;
    const result = isOlder ? reportedResult(pod, of, kind) : initialResults[kind];
    context.setResult(kind, uid, container.id, result);
  };

  const probeContainer = async (container: RuntimeContainer): Promise<void> => {
    const target = {
      container: of.container,
      containerId: container.id,
      podIp: context.podIp(uid),
    };
    const options = { ...context, signal: controller.signal };
    let outcome = await runProbe(probe, target, options);
    for (let count = 1; outcome.result === 'Unknown' && count < maxAttempts; count++) {
      outcome = await runProbe(probe, target, options);
    }
    if (controller.signal.aborted || container.id !== containerId) return;
    const counted = outcome.result === 'Warning' ? 'Success' : outcome.result;
    results.set(counted, (results.get(counted) ?? 0) + 1);
    const title = titles[kind];
    if (outcome.result === 'Unknown') {
      const text = `${title} probe errored and resulted in unknown state: ${outcome.output}`;
      context.events.container(pod, of, 'Warning', 'Unhealthy', text);
      return;
    }
    if (outcome.result === 'Failure') {
      const text = `${title} probe failed: ${outcome.output}`;
      context.events.container(pod, of, 'Warning', 'Unhealthy', text);
    } else if (outcome.result === 'Warning') {
      const text = `${title} probe warning: ${outcome.output}`;
      context.events.container(pod, of, 'Warning', 'ProbeWarning', text);
    }
    count(outcome.result === 'Failure' ? 'Failure' : 'Success', container.id);
  };

  const count = (result: ProbeResult, id: string): void => {
    streak = result === lastResult ? streak + 1 : 1;
    lastResult = result;
    const threshold =
      result === 'Failure' ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
    if (streak < threshold) return;
    context.setResult(kind, uid, id, result);
    if (kind !== 'readiness' && result === 'Failure') {
      isOnHold = true;
      streak = 0;
    }
  };

  const running = latestContainer(context.runtimePod(uid), of.container.name);
  const isOlder = running !== undefined && criTimeMs(running.startedAt) < context.startedMs;
  schedule(isOlder ? context.random.float() * periodMs : 0);
  return {
    counts: { pod: initial.pod, container: of.container.name, kind, results },
    kick: () => schedule(0),
    updatePod(newPod) {
      pod = newPod;
    },
    stop() {
      timer?.cancel();
      controller.abort();
    },
  };
}

/** What the pod's status says about the container, as the result of a probe. */
function reportedResult(pod: Pod, of: PodContainer, kind: ProbeKind): ProbeResult {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const status = [...containerStatuses, ...initContainerStatuses].find(
    ({ name }) => name === of.container.name,
  );
  if (kind === 'readiness') return status?.ready === true ? 'Success' : 'Failure';
  if (kind === 'startup') return status?.started === true ? 'Success' : 'Unknown';
  return 'Success';
}
