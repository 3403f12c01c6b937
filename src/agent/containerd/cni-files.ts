import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';

/** Where containerd's CNI library and the host-local plugin keep what they must remember. */
export const cniStateDirectory = '/var/lib/cni';

/** Files of the host-local plugin, one for each address that is taken; inside is who has it. */
export async function addressFiles(cniState: string): Promise<string[]> {
  const networks = join(cniState, 'networks');
  const files: string[] = [];
  for (const network of await namesIn(networks)) {
    const names = await namesIn(join(networks, network));
    files.push(...names.filter(isAddress).map((name) => join(networks, network, name)));
  }
  return files;
}

/** The id of the sandbox that has the address of a file; undefined when that is gone or says nothing. */
export async function ownerOf(path: string): Promise<string | undefined> {
  try {
    const [owner = ''] = (await readFile(path, 'utf8')).split(/\s/);
    return owner === '' ? undefined : owner;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Paths of the results that containerd's CNI library has cached, one for each sandbox. */
export async function resultFiles(cniState: string): Promise<string[]> {
  const results = join(cniState, 'results');
  return (await namesIn(results)).map((name) => join(results, name));
}

/** Beside addresses there are locks and the last address that was given. */
function isAddress(name: string): boolean {
  return /^[\d.]+$/.test(name) || (/^[\da-f:]+$/.test(name) && name.includes(':'));
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  });
}
