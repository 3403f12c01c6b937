import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, rename, rm, stat, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

export interface RotationOptions {
  path: string;
  maxSizeBytes: number;
  /** How many old files are kept, as `<path>.1.gz` (the newest) and on. */
  keep: number;
}

/**
 * Rotates a log that another process has open in append mode: copies it aside and truncates it.
 * Lines written between the two steps are lost. Returns whether the file was large enough.
 */
export async function rotateLog({ path, maxSizeBytes, keep }: RotationOptions): Promise<boolean> {
  try {
    if ((await stat(path)).size < maxSizeBytes) return false;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  await rm(`${path}.${keep}.gz`, { force: true });
  for (let number = keep - 1; number >= 1; number--) {
    await rename(`${path}.${number}.gz`, `${path}.${number + 1}.gz`).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
  }
  const copy = `${path}.1`;
  await copyFile(path, copy);
  await truncate(path, 0);
  await pipeline(
    createReadStream(copy),
    createGzip(),
    createWriteStream(`${copy}.gz`, { mode: 0o640 }),
  );
  await rm(copy);
  return true;
}

/** Looks at the log every minute until the signal is aborted. */
export function keepRotating(
  options: RotationOptions & { clock: Clock; log: Logger; signal: AbortSignal },
): void {
  const { clock, log, signal } = options;
  const look = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(60_000, signal).catch(() => undefined);
      if (signal.aborted) return;
      await rotateLog(options).catch((error: unknown) =>
        log.warning('cannot rotate the log', { path: options.path, what: messageOf(error) }),
      );
    }
  };
  void look();
}
