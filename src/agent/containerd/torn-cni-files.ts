import { readFile, rm, stat } from 'node:fs/promises';
import { hasCode } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { addressFiles, resultFiles } from './cni-files.ts';

/**
 * Removes the files that a killed containerd had begun to write: cached results that are no JSON,
 * with which a sandbox could never be stopped again, and addresses without an owner, which would
 * stay taken. Only what is older than `beforeMs` (a wall time) is looked at; the rest is being
 * written by the containerd of now. Answers the paths.
 */
export async function removeTornCniFiles(options: {
  directory: string;
  beforeMs: number;
  log: Logger;
}): Promise<string[]> {
  const { directory, beforeMs, log } = options;
  const torn: string[] = [];
  const check = async (path: string, isTorn: (text: string) => boolean): Promise<void> => {
    try {
      const { mtimeMs } = await stat(path);
      if (mtimeMs >= beforeMs || !isTorn(await readFile(path, 'utf8'))) return;
      log.warning('removing a file that a killed containerd left unfinished', { path });
      await rm(path, { force: true });
      torn.push(path);
    } catch (error) {
      // Its sandbox was stopped meanwhile.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  };
  for (const path of await resultFiles(directory)) await check(path, (text) => !isJson(text));
  for (const path of await addressFiles(directory)) await check(path, (text) => text === '');
  return torn;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
