import { hasReason } from '#base/api-status-error.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { traced } from '#base/trace.ts';
import type { QueueMeter } from './queue-metrics.ts';
import type { RateLimits } from './rate-limiter.ts';
import { createWorkQueue } from './work-queue.ts';
import type { WorkQueue } from './work-queue.ts';

/** What a reconcile asks for: nothing, or to be called again after a time. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number | undefined;
}

/** Brings the world nearer to what the object wants. Throwing asks for a retry after a back-off. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | void>;

export interface ControllerLoop {
  readonly queue: WorkQueue<string>;
  /** Resolves when the signal was aborted and the last reconcile has ended. Never rejects. */
  readonly done: Promise<void>;
}

/**
 * Runs `workers` reconciles at a time over a work queue until the signal is aborted. An error is
 * logged once and the key is retried after its back-off; a conflict is only worth a debug line.
 */
export function startControllerLoop(options: {
  name: string;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  workers?: number;
  rateLimits?: RateLimits;
  /** Counts the queue. */
  meter?: QueueMeter | undefined;
  /** Workers begin after this; for informers that must be synced first. */
  ready?: Promise<unknown>;
  reconcile: Reconcile;
}): ControllerLoop {
  const { name, clock, signal, workers = 1, ready, reconcile } = options;
  const log = options.log.with({ controller: name });
  const watcher = options.meter?.watch(name);
  const queue = createWorkQueue<string>({ clock, rateLimits: options.rateLimits, watcher });

  const handle = async (key: string): Promise<void> => {
    try {
      const result = await traced('controller.reconcile', { key, detail: name }, () =>
        reconcile(key, signal),
      );
      queue.forget(key);
      const requeueAfterMs = result?.requeueAfterMs;
      if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
    } catch (error) {
      if (signal.aborted) return;
      const fields = { key, error: messageOf(error), retries: queue.retries(key) };
      if (hasReason(error, 'Conflict')) log.debug('reconcile met a newer version', fields);
      else log.warning('reconcile failed', fields);
      queue.addRateLimited(key);
    } finally {
      queue.done(key);
    }
  };
  const work = async (): Promise<void> => {
    try {
      await ready;
    } catch {
      // Only the signal ends the wait for informers.
      return;
    }
    for (;;) {
      const key = await queue.get();
      if (key === undefined || signal.aborted) return;
      await handle(key);
    }
  };
  const shutDown = (): void => queue.shutDown();
  if (signal.aborted) shutDown();
  signal.addEventListener('abort', shutDown, { once: true });
  const done = Promise.all(Array.from({ length: workers }, work)).then(() => undefined);
  return { queue, done };
}
