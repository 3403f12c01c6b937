import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Clock } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { RuntimeService } from '../cri/mod.ts';

/** `0.log.20261121-110932`, and `.gz` once it is not the newest of them. */
export function rotatedSuffix(epochMs: number): string {
  const digits = new Date(epochMs).toISOString().replaceAll(/[-:]/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(9, 15)}`;
}

/** Which rotated files to compress and which to remove, so that `maxFiles` logs stay at most. */
export function rotationPlan(
  rotated: readonly string[],
  maxFiles: number,
): { compress: string[]; remove: string[] } {
  const sorted = [...rotated].sort();
  // The log that is written and the one that is cut off now count as two.
  const keep = Math.max(maxFiles - 2, 0);
  const remove = sorted.slice(0, Math.max(sorted.length - keep, 0));
  const compress = sorted.filter((name) => !remove.includes(name) && !name.endsWith('.gz'));
  return { compress, remove };
}

/** Cuts logs of running containers that have grown too large. */
export async function rotateLogs(options: {
  containers: readonly { id: string; logPath: string }[];
  runtime: Pick<RuntimeService, 'reopenContainerLog'>;
  clock: Clock;
  log: Logger;
  maxSizeBytes: number;
  maxFiles: number;
}): Promise<void> {
  for (const container of options.containers) {
    try {
      const { size } = await stat(container.logPath);
      if (size >= options.maxSizeBytes) await rotateLog(container, options);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) continue;
      const { log } = options;
      log.warning('cannot rotate a log', { path: container.logPath, error: messageOf(error) });
    }
  }
}

async function rotateLog(
  { id, logPath }: { id: string; logPath: string },
  {
    runtime,
    clock,
    maxFiles,
  }: { runtime: Pick<RuntimeService, 'reopenContainerLog'>; clock: Clock; maxFiles: number },
): Promise<void> {
  const directory = dirname(logPath);
  const prefix = `${basename(logPath)}.`;
  const names = (await readdir(directory)).filter((name) => name.startsWith(prefix));
  // What a compression that was cut short left behind.
  const unfinished = names.filter((name) => name.endsWith('.tmp'));
  const { compress, remove } = rotationPlan(
    names.filter((name) => !name.endsWith('.tmp')),
    maxFiles,
  );
  for (const name of [...unfinished, ...remove]) await rm(join(directory, name), { force: true });
  for (const name of compress) await compressFile(join(directory, name));
  const rotated = `${logPath}.${rotatedSuffix(clock.now())}`;
  await rename(logPath, rotated);
  try {
    await runtime.reopenContainerLog(id);
  } catch (error) {
    // The runtime still writes to the renamed file: put it back.
    await rename(rotated, logPath);
    throw error;
  }
}

async function compressFile(path: string): Promise<void> {
  const unfinished = `${path}.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished));
  await rename(unfinished, `${path}.gz`);
  await rm(path);
}
