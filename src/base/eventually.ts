import { systemClock } from './clock.ts';

const boundMs = 60_000;

/**
 * For tests, also those under a fake clock, of what real files, sockets, threads and processes
 * bring about: takes turns until the condition holds. Rejects after a minute of real time, far more
 * than a busy machine needs: a wait without a bound outlives its test's time limit, and then the
 * process that runs all tests never ends.
 */
export async function eventually(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  turn: () => Promise<unknown> = () => systemClock.sleep(1),
): Promise<void> {
  const endMs = systemClock.monotonicMs() + boundMs;
  while (!(await condition())) {
    if (systemClock.monotonicMs() > endMs) {
      throw new Error(`${typeof what === 'string' ? what : what()} did not come about`);
    }
    await turn();
  }
}
