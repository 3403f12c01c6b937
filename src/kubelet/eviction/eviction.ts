import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { EventRecorder } from '#client/mod.ts';
import type { Pod } from '#schema/types.ts';
import type { MachineInfo, MachineUsage } from '../machine-info.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
import { nodeReference } from '../node/node-reporter.ts';
import { isCriticalPod, podKey, specOf, uidOf } from '../pods/names.ts';
import type { PodState } from '../pods/pod-worker.ts';
import type { PodVerdict } from '../status/pod-status.ts';
import { limitNotice, pressureNotice } from './eviction-text.ts';
import type { EvictionNotice } from './eviction-text.ts';
import { rankPods } from './ranking.ts';
import { exceededLimit, hasStorageLimits, limitSignal } from './storage-limits.ts';
import { createThresholdTracker } from './threshold-tracker.ts';
import { crossedThresholds, observeMachine, readThresholds } from './thresholds.ts';
import type {
  EvictionConfig,
  Observations,
  PodsMemory,
  ScarceResource,
  Threshold,
} from './thresholds.ts';
import type { UsageGatherer } from './usage-gatherer.ts';

export interface EvictionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: EvictionConfig;
  readonly nodeName: string;
  readonly machine: MachineInfo;
  readonly machineUsage: () => Promise<MachineUsage>;
  /** Undefined where the pods together have no limit. */
  readonly podsMemory?: (() => Promise<PodsMemory | undefined>) | undefined;
  readonly usages: UsageGatherer;
  readonly recorder: Pick<EventRecorder, 'event'>;
  readonly states: () => readonly PodState[];
  readonly end: (uid: string, verdict: PodVerdict, graceSeconds: number) => void;
  /** Removes dead containers and unused images. */
  readonly reclaimDisk: () => Promise<void>;
  readonly metrics: Pick<KubeletMetrics, 'evictions'>;
  /** Told after each look what runs short, for the node's conditions. */
  readonly onScarce: (resources: ReadonlySet<ScarceResource>) => void;
  readonly signal: AbortSignal;
}

const checkMs = 10_000;
/** How long the next pod waits for an evicted one to be gone. */
const cleanUpMs = 30_000;
const cleanUpStepMs = 1_250;
/** Pods that go at once get this, so that the runtime asks before it kills. */
const immediateSeconds = 1;

/**
 * Looks every 10 s whether the node runs short, and ends at most one pod for it at a time: the one
 * that takes most beyond what it asked for. Disk is reclaimed from images and dead containers
 * first. Pods over their own storage limits go whatever the node says. Never rejects.
 */
export async function runEviction(options: EvictionOptions): Promise<void> {
  const { clock, log, signal } = options;
  const thresholds = readThresholds(options.config);
  const tracker = createThresholdTracker(thresholds);
  while (!signal.aborted) {
    try {
      const evicted = await lookOnce(options, tracker);
      if (evicted.length > 0) await waitForEnd(options, evicted);
    } catch (error) {
      if (!signal.aborted) log.warning('eviction: cannot look', { error: messageOf(error) });
    }
    await clock.sleep(checkMs, signal).catch(() => undefined);
  }
}

/** One look; returns the uids of the pods that were told to go. */
export async function lookOnce(
  options: EvictionOptions,
  tracker: ReturnType<typeof createThresholdTracker>,
): Promise<string[]> {
  const { clock, machine } = options;
  const pods = await options.podsMemory?.();
  const observations = observeMachine(machine, await options.machineUsage(), pods);
  const due = tracker.observe(observations, clock.now());
  options.onScarce(tracker.scarce());
  const isCounted = options.config.hasLocalStorage !== false;
  const overLimits = isCounted ? await evictOverLimits(options) : [];
  if (overLimits.length > 0) return overLimits;
  const threshold = mostUrgent(due, observations);
  if (threshold === undefined) return [];
  return await relieve(options, threshold, observations);
}

/** Memory before everything else, hard before soft. */
function mostUrgent(due: readonly Threshold[], observations: Observations): Threshold | undefined {
  const rank = ({ signal, isHard }: Threshold): number =>
    (observations.get(signal)?.resource === 'memory' ? 0 : 2) + (isHard ? 0 : 1);
  return due.toSorted((a, b) => rank(a) - rank(b))[0];
}

async function relieve(
  options: EvictionOptions,
  threshold: Threshold,
  observations: Observations,
): Promise<string[]> {
  const { log, recorder, nodeName, machine } = options;
  const resource = observations.get(threshold.signal)?.resource ?? 'memory';
  const isDisk = resource === 'ephemeral-storage' || resource === 'inodes';
  log.warning('eviction: the node runs short', { signal: threshold.signal, resource });
  const about = nodeReference(nodeName);
  const message = `Attempting to reclaim ${resource}`;
  recorder.event(about, 'Warning', 'EvictionThresholdMet', message);
  let seen = observations;
  if (isDisk) {
    await options.reclaimDisk();
    seen = observeMachine(machine, await options.machineUsage());
    if (crossedThresholds([threshold], seen, true).length === 0) return [];
  }
  const uses = await options.usages.gather(activePods(options), () => isDisk);
  for (const use of rankPods(uses, resource)) {
    if (isCriticalPod(use.pod)) continue;
    const notice = pressureNotice(use, threshold, seen, resource);
    options.metrics.evictions.with(threshold.signal).value += 1;
    evict(options, use.pod, notice, graceOf(options, threshold, use.pod));
    return [uidOf(use.pod)];
  }
  log.warning('eviction: there is no pod that may go', { resource });
  return [];
}

async function evictOverLimits(options: EvictionOptions): Promise<string[]> {
  const limited = activePods(options).filter(hasStorageLimits);
  if (limited.length === 0) return [];
  const evicted: string[] = [];
  for (const use of await options.usages.gather(limited, () => true)) {
    const message = exceededLimit(use);
    if (message === undefined || isCriticalPod(use.pod)) continue;
    options.metrics.evictions.with(limitSignal(message)).value += 1;
    evict(options, use.pod, limitNotice(message), immediateSeconds);
    evicted.push(uidOf(use.pod));
  }
  return evicted;
}

function activePods({ states }: EvictionOptions): Pod[] {
  return states()
    .filter(({ stage }) => stage === 'syncing')
    .map(({ pod }) => pod);
}

/** Soft thresholds leave a pod its time, as long as the configured one. */
function graceOf({ config }: EvictionOptions, { isHard }: Threshold, pod: Pod): number {
  if (isHard) return immediateSeconds;
  const own = specOf(pod).terminationGracePeriodSeconds ?? 30;
  return Math.min(config.evictionMaxPodGraceSeconds, own);
}

function evict(
  { recorder, end, log }: EvictionOptions,
  pod: Pod,
  { verdict, annotations }: EvictionNotice,
  graceSeconds: number,
): void {
  log.warning('eviction: ending a pod', { pod: podKey(pod), message: verdict.message });
  const about = { ...pod, apiVersion: 'v1', kind: 'Pod' };
  const { reason, message } = verdict;
  const hasNotes = Object.keys(annotations).length > 0;
  recorder.event(about, 'Warning', reason, message, hasNotes ? { annotations } : {});
  end(uidOf(pod), verdict, graceSeconds);
}

/** The next pod is chosen from numbers without the evicted ones. */
async function waitForEnd(
  { clock, states, signal }: EvictionOptions,
  uids: readonly string[],
): Promise<void> {
  const endMs = clock.now() + cleanUpMs;
  const isThere = (): boolean =>
    states().some(({ pod, stage }) => uids.includes(uidOf(pod)) && stage !== 'finished');
  while (isThere() && clock.now() < endMs && !signal.aborted) {
    await clock.sleep(cleanUpStepMs, signal).catch(() => undefined);
  }
}
