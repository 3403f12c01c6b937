import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

/** Where containerd's CNI library and the host-local plugin keep what they must remember. */
export const cniStateDirectory = '/var/lib/cni';

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
  const results = join(directory, 'results');
  const networks = join(directory, 'networks');
  const candidates = (await namesIn(results)).map((name) => join(results, name));
  const addresses: string[] = [];
  for (const network of await namesIn(networks)) {
    const names = await namesIn(join(networks, network));
    addresses.push(...names.filter(isAddress).map((name) => join(networks, network, name)));
  }
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
  for (const path of candidates) await check(path, (text) => !isJson(text));
  for (const path of addresses) await check(path, (text) => text === '');
  return torn;
}

/** Beside addresses there are locks and the last address that was given. */
function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || (/^[\da-f:]+$/.test(name) && name.includes(':'));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  });
}
