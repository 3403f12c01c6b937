import type { Logger } from '#base/log.ts';
import { onTraceStep } from '#base/trace.ts';
import { booleanFlag, integerFlag } from './flags/flag.ts';
import type { FlagValues } from './flags/flag.ts';

/** Kubernetes' own level for details that help to find a mistake. */
const debugVerbosity = 4;

/** Whether --debug or a -v of 4 and more asks for debug lines. */
export function wantsDebug(values: FlagValues): boolean {
  return booleanFlag(values, 'debug') || (integerFlag(values, 'v') ?? 0) >= debugVerbosity;
}

/**
 * Writes a debug line for each step of the journeys of requests, pods and controllers that names an
 * object or failed. Returns how to stop.
 */
export function logSteps(log: Logger): () => void {
  return onTraceStep(({ step, key, uid, detail, error, startMs, endMs }) => {
    if (key === undefined && error === undefined) return;
    const ms = endMs === startMs ? undefined : Number((endMs - startMs).toFixed(1));
    log.debug(step, { key, uid, detail, ms, error });
  });
}
