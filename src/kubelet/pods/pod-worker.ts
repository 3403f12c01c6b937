import type { Timer } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Pod } from '#schema/types.ts';
import { isRuntimeAway } from '../cri/mod.ts';
import type { PodVerdict } from '../status/pod-status.ts';
import { podGraceSeconds } from './container-stopper.ts';
import { podKey, uidOf } from './names.ts';
import { NetworkNotReadyError } from './pod-sync.ts';
import type { PodMemory, SyncResult } from './pod-sync.ts';

export type PodStage = 'syncing' | 'terminating' | 'terminated' | 'finished';

/** What a worker is between two of its steps; read by status and by lookups. */
export interface PodState {
  pod: Pod;
  stage: PodStage;
  verdict: PodVerdict | undefined;
  readonly memory: PodMemory;
}

/** The steps of a pod's life, done by others; each may be tried again after it failed. */
export interface PodSteps {
  sync(state: PodState, signal: AbortSignal): Promise<SyncResult>;
  /** How long the pod may still be active; undefined for ever. */
  deadline(state: PodState): { leftMs: number; verdict: PodVerdict } | undefined;
  /** Whether the status computed now says that the pod is over. */
  isOver(state: PodState): boolean;
  terminate(state: PodState, graceSeconds: number, signal: AbortSignal): Promise<void>;
  cleanUp(state: PodState, signal: AbortSignal): Promise<void>;
  publish(state: PodState): void;
}

/** One pod: its steps run one at a time, with the newest version of the pod. */
export interface PodWorker {
  readonly state: PodState;
  update(pod: Pod): void;
  /** Something about the pod changed outside of its spec. */
  poke(): void;
  /** The pod is to end, with this grace; asked for again, it can only become shorter. */
  terminate(options: { graceSeconds?: number | undefined; verdict?: PodVerdict | undefined }): void;
  /** The kubelet goes: nothing new is begun, the pod keeps running. */
  stop(): Promise<void>;
}

const errorRetryMs = 10_000;
const networkRetryMs = 1_000;
const endRetryMs = 1_000;
/** A runtime that ended is back soon. */
const runtimeRetryMs = 1_000;

export function createPodWorker(options: {
  pod: Pod;
  /** Where a pod found after a restart goes on; syncing for new ones. */
  stage?: PodStage | undefined;
  steps: PodSteps;
  clock: Clock;
  random: Random;
  log: Logger;
  syncFrequencyMs: number;
}): PodWorker {
  const { steps, clock, random, log, syncFrequencyMs } = options;
  const state: PodState = {
    pod: options.pod,
    stage: options.stage ?? 'syncing',
    verdict: undefined,
    memory: {
      startErrors: new Map(),
      terminationMessages: new Map(),
      isRuntimeUncertain: false,
      hasCgroup: false,
      hasVolumes: false,
      resyncedMs: 0,
      resyncedMetadata: '',
    },
  };
  const stopping = new AbortController();
  let current = new AbortController();
  let graceSeconds: number | undefined;
  let isDirty = false;
  let running: Promise<void> | undefined;
  let timer: Timer | undefined;

  const wakeAfter = (delayMs: number): void => {
    timer?.cancel();
    if (!stopping.signal.aborted) timer = clock.after(delayMs, poke);
  };
  const poke = (): void => {
    isDirty = true;
    if (running !== undefined || isClosed()) return;
    running = run().finally(() => {
      running = undefined;
      if (isDirty && !isClosed()) poke();
    });
  };

  const isClosed = (): boolean => stopping.signal.aborted || state.stage === 'finished';

  const run = async (): Promise<void> => {
    while (isDirty && !isClosed()) {
      isDirty = false;
      timer?.cancel();
      const stage = state.stage;
      try {
        const delayMs = await step();
        if (delayMs !== undefined) wakeAfter(delayMs);
      } catch (error) {
        if (stopping.signal.aborted) return;
        // A step cut short because the pod ends now is no failure.
        if (stage === state.stage && !current.signal.aborted) {
          log.warning('pod step failed', {
            pod: podKey(state.pod),
            uid: uidOf(state.pod),
            stage,
            error: messageOf(error),
          });
        }
        wakeAfter(retryDelayMs(error));
      }
    }
  };

  const retryDelayMs = (error: unknown): number => {
    if (current.signal.aborted || error instanceof NetworkNotReadyError) return networkRetryMs;
    if (isRuntimeAway(error)) return runtimeRetryMs;
    if (state.stage !== 'syncing') return endRetryMs;
    return errorRetryMs * (1 + random.float() / 2);
  };

  /** Returns when to come back; undefined goes on with the next stage at once. */
  const step = async (): Promise<number | undefined> => {
    if (current.signal.aborted) current = new AbortController();
    const signal = AbortSignal.any([stopping.signal, current.signal]);
    switch (state.stage) {
      case 'syncing':
        return await syncOnce(signal);
      case 'terminating':
        await steps.terminate(state, graceSeconds ?? podGraceSeconds(state.pod), signal);
        enter('terminated');
        return undefined;
      case 'terminated':
        await steps.cleanUp(state, stopping.signal);
        state.stage = 'finished';
        return undefined;
      case 'finished':
        return undefined;
    }
  };

  const syncOnce = async (signal: AbortSignal): Promise<number | undefined> => {
    const end = steps.deadline(state);
    if (end !== undefined && end.leftMs <= 0) {
      state.verdict ??= end.verdict;
      enter('terminating');
      return undefined;
    }
    steps.publish(state);
    if (steps.isOver(state)) {
      enter('terminating');
      return undefined;
    }
    const result = await steps.sync(state, signal);
    steps.publish(state);
    if (result.isFinished || steps.isOver(state)) {
      enter('terminating');
      return undefined;
    }
    const jitter = 1 + random.float() / 2;
    const delaysMs = [syncFrequencyMs * jitter, end?.leftMs ?? Infinity];
    if (result.isRuntimeAway) {
      delaysMs.push(runtimeRetryMs);
    } else if (result.retryAtMs !== undefined) {
      delaysMs.push(Math.max(result.retryAtMs - clock.now(), 0) + 1);
    } else if (result.hasFailed) {
      delaysMs.push(errorRetryMs * jitter);
    }
    return Math.min(...delaysMs);
  };

  const enter = (stage: PodStage): void => {
    state.stage = stage;
    isDirty = true;
  };

  return {
    state,
    poke,
    update(pod) {
      state.pod = pod;
      poke();
    },
    terminate(request) {
      if (state.stage === 'terminated' || state.stage === 'finished') return;
      state.verdict ??= request.verdict;
      const wanted = request.graceSeconds ?? podGraceSeconds(state.pod);
      const isFirst = state.stage === 'syncing';
      if (!isFirst && wanted >= (graceSeconds ?? Infinity)) return;
      graceSeconds = wanted;
      if (isFirst) state.stage = 'terminating';
      // Ends what the current step waits for: a pull, a hook, or a stop with more grace.
      current.abort();
      poke();
    },
    async stop() {
      stopping.abort();
      timer?.cancel();
      await running;
    },
  };
}
