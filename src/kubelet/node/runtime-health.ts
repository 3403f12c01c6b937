import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { RuntimeService, RuntimeStatus, RuntimeVersion } from '../cri/mod.ts';
import { goDuration } from '../go-duration.ts';

const okIntervalMs = 5_000;
/** While something is missing, so that the node is Ready soon after it is there. */
const waitingIntervalMs = 250;
const slowWaitingIntervalMs = 1_000;
const downAfterMs = 30_000;
/** Without a list of the runtime for so long the node is not ready. */
export const plegThresholdMs = 180_000;

/** Asks the runtime how it is; the answers decide whether the node is ready. */
export interface RuntimeHealth {
  run(signal: AbortSignal): Promise<void>;
  /** Texts of the Ready condition; empty when all is well. */
  problems(): string[];
  /** Why pods cannot have a network; undefined when they can. */
  networkProblem(): string | undefined;
  readonly status: RuntimeStatus | undefined;
  readonly version: RuntimeVersion | undefined;
}

export function createRuntimeHealth(options: {
  runtime: RuntimeService;
  clock: Clock;
  lastRelistMs: () => number;
  onChange: () => void;
}): RuntimeHealth {
  const { runtime, clock, lastRelistMs, onChange } = options;
  const startedMs = clock.now();
  let status: RuntimeStatus | undefined;
  let version: RuntimeVersion | undefined;
  let lastAnswerMs: number | undefined;
  let lastError = '';
  let lastProblems = '';

  const condition = (type: string) =>
    status?.status?.conditions.find((candidate) => candidate.type === type);

  const networkProblem = (): string | undefined => {
    const network = condition('NetworkReady');
    if (status === undefined || network?.status === true) return undefined;
    const { reason = '', message = '' } = network ?? {};
    return `container runtime network not ready: NetworkReady=false reason:${reason} message:${message}`;
  };
  const problems = (): string[] => {
    const found: string[] = [];
    if (lastAnswerMs === undefined) {
      found.push(
        lastError === ''
          ? 'container runtime status check may not have completed yet'
          : `container runtime is down: ${lastError}`,
      );
    } else if (clock.now() - lastAnswerMs > downAfterMs) found.push('container runtime is down');
    const runtimeReady = condition('RuntimeReady');
    if (status !== undefined && runtimeReady?.status !== true) {
      const { reason = '', message = '' } = runtimeReady ?? {};
      found.push(
        `container runtime not ready: RuntimeReady=false reason:${reason} message:${message}`,
      );
    }
    const network = networkProblem();
    if (network !== undefined) found.push(network);
    const silentMs = clock.now() - (lastRelistMs() === 0 ? startedMs : lastRelistMs());
    if (silentMs > plegThresholdMs) {
      const ago = goDuration(silentMs);
      found.push(`PLEG is not healthy: pleg was last seen active ${ago} ago; threshold is 3m0s`);
    }
    return found;
  };
  const look = async (signal: AbortSignal): Promise<void> => {
    try {
      const isBack = lastAnswerMs === undefined || clock.now() - lastAnswerMs > okIntervalMs * 2;
      if (version === undefined || isBack) version = await runtime.version({ signal });
      status = await runtime.status({ signal });
      lastAnswerMs = clock.now();
      lastError = '';
    } catch (error) {
      lastError = messageOf(error);
    }
    const text = problems().join('\n');
    if (text === lastProblems) return;
    lastProblems = text;
    onChange();
  };

  return {
    problems,
    networkProblem,
    get status() {
      return status;
    },
    get version() {
      return version;
    },
    async run(signal) {
      while (!signal.aborted) {
        await look(signal);
        const isYoung = clock.now() - startedMs < downAfterMs;
        const waitMs = isYoung ? waitingIntervalMs : slowWaitingIntervalMs;
        const delayMs = lastError === '' && lastProblems === '' ? okIntervalMs : waitMs;
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    },
  };
}
