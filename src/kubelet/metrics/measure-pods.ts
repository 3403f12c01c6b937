import type { Clock } from '#base/clock.ts';
import type { Pod, PodStatus } from '#schema/types.ts';
import { specOf, uidOf } from '../pods/names.ts';
import type { AllPodSteps } from '../pods/pod-steps.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { KubeletMetrics } from './kubelet-metrics.ts';

/** The steps of pods with their times: the first one is `create`, the others `sync` and `kill`. */
export function measureSteps(
  steps: AllPodSteps,
  { metrics, clock }: { metrics: KubeletMetrics; clock: Clock },
): AllPodSteps {
  const seen = new WeakSet<object>();
  const timed = async <T>(type: string, work: () => Promise<T>): Promise<T> => {
    const startMs = clock.monotonicMs();
    try {
      return await work();
    } finally {
      metrics.workerDuration.with(type).observe((clock.monotonicMs() - startMs) / 1000);
    }
  };
  return {
    ...steps,
    sync(state, signal) {
      const isFirst = !seen.has(state);
      seen.add(state);
      return timed(isFirst ? 'create' : 'sync', () => steps.sync(state, signal));
    },
    terminate: (state, grace, signal) => timed('kill', () => steps.terminate(state, grace, signal)),
  };
}

/** How long pods took to run, found in the statuses that are written. */
export function measureStatuses(
  writer: StatusWriter,
  { metrics, clock }: { metrics: KubeletMetrics; clock: Clock },
): StatusWriter {
  /** When pods that do not run yet were seen first. */
  const waiting = new Map<string, number>();
  const note = (pod: Pod, { phase }: PodStatus): void => {
    const uid = uidOf(pod);
    if (phase === 'Pending') {
      if (!waiting.has(uid)) waiting.set(uid, clock.now());
      return;
    }
    const seenMs = waiting.get(uid);
    waiting.delete(uid);
    if (seenMs === undefined || phase !== 'Running') return;
    const createdMs = Date.parse(pod.metadata.creationTimestamp ?? '');
    metrics.startDuration.with().observe((clock.now() - seenMs) / 1000);
    if (Number.isNaN(createdMs)) return;
    const totalSeconds = Math.max(clock.now() - createdMs, 0) / 1000;
    metrics.startTotal.with().observe(totalSeconds);
    if (isPlain(pod)) metrics.startSli.with().observe(totalSeconds);
  };
  return {
    ...writer,
    set(pod, status) {
      note(pod, status);
      writer.set(pod, status);
    },
    forget(uid) {
      waiting.delete(uid);
      writer.forget(uid);
    },
  };
}

/** What waits for init containers or for volumes says nothing about the kubelet. */
function isPlain(pod: Pod): boolean {
  const { initContainers = [], volumes = [] } = specOf(pod);
  return (
    initContainers.length === 0 &&
    volumes.every((one) => one.persistentVolumeClaim === undefined && one.ephemeral === undefined)
  );
}
