import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '#base/clock.ts';

const pollMs = 1000;

/** Tells when something may have happened to a file: by events of its directory, or by time. */
export interface FileChanges {
  /** Resolves at the next change, after a second at most, or when `signal` is aborted. */
  next(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Begins to listen at once, so that no change after the call is missed by `next`. */
export function watchFile(path: string, clock: Clock): FileChanges {
  let hasChanged = false;
  let wake: (() => void) | undefined;
  const onChange = (): void => {
    hasChanged = true;
    wake?.();
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(path), onChange);
    watcher.on('error', () => watcher?.close());
  } catch {
    // Out of watches, or the directory is gone: polling does.
  }
  return {
    async next(signal) {
      if (!hasChanged && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = clock.after(pollMs, resolve);
          const onAbort = (): void => resolve();
          signal.addEventListener('abort', onAbort, { once: true });
          wake = () => {
            timer.cancel();
            signal.removeEventListener('abort', onAbort);
            resolve();
          };
        });
      }
      wake = undefined;
      hasChanged = false;
    },
    close: () => watcher?.close(),
  };
}
