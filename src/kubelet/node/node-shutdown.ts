import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Pod } from '#schema/types.ts';
import type { ShutdownPeriod } from '../kubelet-config.ts';
import type { Rejection } from '../pods/admission.ts';
import { podGraceSeconds } from '../pods/container-stopper.ts';
import { podKey, specOf, uidOf } from '../pods/names.ts';
import type { PodState } from '../pods/pod-worker.ts';
import { terminationByKubelet } from '../status/conditions.ts';
import type { PodVerdict } from '../status/pod-status.ts';

/** Ends the pods of a machine that is going down, the least important first. */
export interface NodeShutdown {
  /**
   * Takes no more pods and ends those that are there, group by group; resolves when all are gone or
   * every group had its time. Asked again it is the same shutdown.
   */
  begin(): Promise<void>;
  /** The shutdown was called off: pods are taken again. */
  cancel(): void;
  /** Why a pod is not taken now. */
  rejection(): Rejection | undefined;
  /** Text of the Ready condition. */
  problem(): string | undefined;
  /** Of the last shutdown; 0 while there was none. */
  times(): { startMs: number; endMs: number };
}

const verdict: PodVerdict = {
  phase: 'Failed',
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
  condition: {
    type: 'DisruptionTarget',
    status: 'True',
    reason: terminationByKubelet,
    message: 'Pod was terminated in response to imminent node shutdown.',
  },
};

const lookMs = 100;

export function createNodeShutdown(options: {
  periods: readonly ShutdownPeriod[];
  clock: Clock;
  log: Logger;
  states: () => readonly PodState[];
  end: (uid: string, verdict: PodVerdict, graceSeconds: number) => void;
  /** The node's readiness changed. */
  onChange: () => void;
}): NodeShutdown {
  const { periods, clock, log } = options;
  let running: Promise<void> | undefined;

  const endGroup = async (group: readonly Pod[], periodMs: number): Promise<void> => {
    const uids = new Set(group.map(uidOf));
    for (const pod of group) {
      const graceSeconds = Math.min(podGraceSeconds(pod), Math.floor(periodMs / 1000));
      log.info('ending a pod because the machine shuts down', { pod: podKey(pod), graceSeconds });
      options.end(uidOf(pod), verdict, graceSeconds);
    }
    const untilMs = clock.monotonicMs() + periodMs;
    const isLeft = (): boolean =>
      options.states().some(({ pod, stage }) => uids.has(uidOf(pod)) && isHere(stage));
    while (isLeft() && clock.monotonicMs() < untilMs) await clock.sleep(lookMs);
  };
  const times = { startMs: 0, endMs: 0 };
  const endAll = async (): Promise<void> => {
    times.startMs = clock.now();
    options.onChange();
    const here = options.states().filter(({ stage }) => isHere(stage));
    const groups = groupByPriority(
      here.map(({ pod }) => pod),
      periods,
    );
    for (const { pods, periodMs } of groups) await endGroup(pods, periodMs);
    times.endMs = clock.now();
  };

  return {
    times: () => times,
    begin() {
      running ??= endAll();
      return running;
    },
    cancel() {
      running = undefined;
      options.onChange();
    },
    rejection: () =>
      running === undefined
        ? undefined
        : { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' },
    problem: () => (running === undefined ? undefined : 'node is shutting down'),
  };
}

function isHere(stage: PodState['stage']): boolean {
  return stage === 'syncing' || stage === 'terminating';
}

/** Each pod in the group with the highest priority not above its own, as upstream sorts them. */
export function groupByPriority(
  pods: readonly Pod[],
  periods: readonly ShutdownPeriod[],
): { pods: Pod[]; periodMs: number }[] {
  const groups = [...periods]
    .sort((a, b) => a.priority - b.priority)
    .map(({ priority, periodMs }) => ({ priority, periodMs, pods: [] as Pod[] }));
  for (const pod of pods) {
    const priority = specOf(pod).priority ?? 0;
    const group = groups.findLast((one) => one.priority <= priority) ?? groups[0];
    group?.pods.push(pod);
  }
  return groups.filter((group) => group.pods.length > 0);
}
