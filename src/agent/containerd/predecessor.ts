import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { hasCode } from '#base/errors.ts';
import { addressFiles, ownerOf } from './cni-files.ts';

/** An address that is taken: the file that says so, and the id of the sandbox inside. */
export interface TakenAddress {
  readonly path: string;
  readonly owner: string;
}

/** What was there when a containerd began: all of it was made by those before. */
export interface Predecessor {
  /** Wall time at which the new one began. */
  readonly endedByMs: number;
  /** Names of network namespaces. */
  readonly namespaces: readonly string[];
  readonly addresses: readonly TakenAddress[];
}

/** Looks at the machine; called when another containerd has begun. */
export async function findPredecessor(options: {
  clock: Clock;
  cniState: string;
  namespaces: { list(): Promise<string[]> };
}): Promise<Predecessor> {
  const { clock, cniState } = options;
  const endedByMs = clock.now();
  const addresses: TakenAddress[] = [];
  const namespaces = await options.namespaces.list();
  for (const path of await addressFiles(cniState)) {
    const owner = await ownerOf(path);
    if (owner !== undefined) addresses.push({ path, owner });
  }
  return { endedByMs, namespaces, addresses };
}

/**
 * Notes it in a file until the clean-up is over: an agent that ends meanwhile leaves the rest to
 * the one that adopts the containerd.
 */
export async function notePredecessor(file: string, predecessor: Predecessor): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(predecessor));
  await rename(`${file}.new`, file);
}

/** What an earlier agent had not finished with; undefined when it had. */
export async function readPredecessor(file: string): Promise<Predecessor | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Predecessor;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export async function forgetPredecessor(file: string): Promise<void> {
  await rm(file, { force: true });
}
