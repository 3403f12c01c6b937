import type { Clock, Timer } from '#base/clock.ts';

import type { AuditBackend } from './audit-backend.ts';
import type { AuditEvent } from './event.ts';

export interface BatchOptions {
  readonly bufferSize: number;
  readonly maxSize: number;
  readonly maxWaitMs: number;
  /** Undefined: batches leave as soon as they are full. */
  readonly throttle: { readonly perSecond: number; readonly burst: number } | undefined;
}

/**
 * Gathers events and hands them over in batches, one batch at a time. Events that find the buffer
 * full are dropped and told to `onDrop`, as upstream.
 */
export function createBatches(options: {
  batch: BatchOptions;
  clock: Clock;
  /** Writes a batch; never rejects. */
  deliver: (events: readonly AuditEvent[]) => Promise<void>;
  onDrop: (count: number) => void;
}): AuditBackend {
  const { batch, clock, deliver, onDrop } = options;
  let buffer: AuditEvent[] = [];
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  const throttle = createThrottle(batch.throttle, clock);
  const run = async (all: boolean): Promise<void> => {
    const least = all ? 1 : batch.maxSize;
    while (buffer.length >= least) {
      await throttle();
      const events = buffer.slice(0, batch.maxSize);
      buffer = buffer.slice(batch.maxSize);
      await deliver(events);
    }
  };
  const start = (all: boolean): void => {
    timer?.cancel();
    timer = undefined;
    if (running !== undefined) return;
    running = run(all).finally(() => {
      running = undefined;
      if (buffer.length > 0) wait();
    });
  };
  const wait = (): void => {
    if (buffer.length >= batch.maxSize || batch.maxWaitMs <= 0) start(true);
    else timer ??= clock.after(batch.maxWaitMs, () => start(true));
  };
  return {
    write(events) {
      const room = batch.bufferSize - buffer.length;
      buffer.push(...events.slice(0, Math.max(room, 0)));
      if (events.length > room) onDrop(events.length - Math.max(room, 0));
      wait();
      return undefined;
    },
    async close() {
      timer?.cancel();
      await running;
      await run(true);
    },
  };
}

/** Waits until one more batch may go. */
function createThrottle(limits: BatchOptions['throttle'], clock: Clock): () => Promise<void> {
  if (limits === undefined) return () => Promise.resolve();
  const { perSecond, burst } = limits;
  let tokens = burst;
  let lastMs = clock.monotonicMs();
  return async () => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((nowMs - lastMs) * perSecond) / 1000);
    lastMs = nowMs;
    tokens--;
    if (tokens < 0) await clock.sleep((-tokens * 1000) / perSecond);
  };
}
