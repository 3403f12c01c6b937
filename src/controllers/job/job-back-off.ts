import type { Pod } from '#schema/types.ts';
import { finishedMs } from './finished-time.ts';

const firstMs = 10_000;
const maxMs = 600_000;

/** Failures of a job's pods since its last success, and when the last of them was. */
export interface BackOffRecord {
  readonly failures: number;
  readonly lastMs: number | undefined;
}

const noFailures: BackOffRecord = { failures: 0, lastMs: undefined };

/**
 * The record once these pods have ended as well. Times are those of the pods' ends, not of when
 * they were seen, so that a controller that was away does not start the wait anew.
 */
export function nextRecord(
  former: BackOffRecord = noFailures,
  succeeded: readonly Pod[],
  failed: readonly Pod[],
): BackOffRecord {
  const failedMs = failed.map(finishedMs);
  if (succeeded.length === 0) {
    if (failed.length === 0) return former;
    return { failures: former.failures + failed.length, lastMs: Math.max(...failedMs) };
  }
  const lastSuccessMs = Math.max(...succeeded.map(finishedMs));
  const later = failedMs.filter((ms) => ms > lastSuccessMs);
  return later.length === 0 ? noFailures : { failures: later.length, lastMs: Math.max(...later) };
}

/** The time until a pod may be made: 10 s after the first failure, doubling up to 10 min. */
export function backOffLeftMs({ failures, lastMs }: BackOffRecord, nowMs: number): number {
  if (failures === 0 || lastMs === undefined) return 0;
  const waitMs = Math.min(firstMs * 2 ** Math.min(failures - 1, 20), maxMs);
  return Math.max(lastMs + waitMs - nowMs, 0);
}
