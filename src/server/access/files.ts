import { readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock, Timer } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

/** Changes that come together are looked at once; a missed one is found after a minute. */
const settleMs = 100;
const recheckMs = 60_000;

/**
 * Reads and understands the file of an argument of kube-apiserver. Throws `Usage` that names the
 * argument and says what is wrong. For the start only: it blocks.
 */
export function readArgFile<T>(arg: string, path: string, read: (text: string) => T): T {
  try {
    return read(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new K3tsError('Usage', `--${arg} ${path}: ${messageOf(error)}`, { cause: error });
  }
}

export interface FollowOptions {
  readonly arg: string;
  readonly path: string;
  /** Takes the new text; what it throws is logged, and the old text stays in force. */
  readonly onText: (text: string) => void;
  /** Told whether a new text is in force. */
  readonly onOutcome?: ((isGood: boolean) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Reads the file again whenever it changes, until the signal; a broken file changes nothing. */
export function followArgFile(options: FollowOptions): void {
  const { arg, path, onText, onOutcome, clock, log, signal } = options;
  let last = readOr(path, '');
  let settling: Timer | undefined;
  const look = (): void => {
    const text = readOr(path, last);
    if (text === last || signal.aborted) return;
    last = text;
    try {
      onText(text);
      onOutcome?.(true);
      log.info('Configuration file was read again', { arg, path });
    } catch (error) {
      onOutcome?.(false);
      log.error('Changed configuration file is not used', { arg, path, error: messageOf(error) });
    }
  };
  const recheck = (): void => {
    if (signal.aborted) return;
    look();
    clock.after(recheckMs, recheck);
  };
  clock.after(recheckMs, recheck);
  // Editors and Secrets mounted as files put a new file in the place of the old one.
  const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
    if (name !== null && name !== basename(path) && !name.startsWith('..')) return;
    settling?.cancel();
    settling = clock.after(settleMs, look);
  });
  watcher.on('error', () => watcher.close());
  signal.addEventListener('abort', () => watcher.close(), { once: true });
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Between two files there may be none; the last text stays in force.
    return fallback;
  }
}
