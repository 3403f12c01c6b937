/** Stops a timer that has not fired yet; safe to call again. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. Everything that waits or reads the time takes one, so that tests own it.
 * `now` is wall time in milliseconds since 1970, `monotonicMs` never goes back.
 */
export interface Clock {
  now(): number;
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`; the timer does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer;
  /** Resolves after `delayMs`, or rejects with the signal's reason when it is aborted first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Longest delay that Node's timers take; longer ones would fire at once. */
const maxDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const handle = setTimeout(task, Math.min(Math.max(delayMs, 0), maxDelayMs));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(handle);
        reject(signal?.reason as Error);
      };
      const handle = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        Math.min(Math.max(delayMs, 0), maxDelayMs),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};

/** The second that was asked for last: every write formats the present several times. */
let lastSecond = Number.NaN;
let lastTime = '';

/** RFC 3339 with seconds, the form of metav1.Time: 2026-11-21T11:09:32Z. */
export function formatTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== lastSecond) {
    lastTime = new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
    lastSecond = second;
  }
  return lastTime;
}

/** RFC 3339 with microseconds, the form of metav1.MicroTime: 2026-11-21T11:09:32.123000Z. */
export function formatMicroTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/Z$/, '000Z');
}
