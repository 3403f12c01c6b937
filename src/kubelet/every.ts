import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

/** Repeats a task, first after one interval, until the signal is aborted. Failures are logged. */
export async function every(
  intervalMs: number,
  name: string,
  task: () => Promise<void>,
  { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(intervalMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await task();
    } catch (error) {
      if (!signal.aborted) log.warning(`${name} failed`, { error: messageOf(error) });
    }
  }
}
