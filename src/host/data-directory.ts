import { access, constants, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { K3tsError, hasCode, messageOf } from '#base/errors.ts';

/** As much as the first certificates take; less than this left is a full disk. */
const probeBytes = 64 * 1024;

/**
 * Makes the data directory and the folders wanted in it, and sees that files can be written there.
 * Throws `Usage` with one line that names the directory and what to do.
 */
export async function prepareDataDirectory(
  path: string,
  folders: readonly { path: string; mode: number }[],
): Promise<void> {
  try {
    await makeDirectories(path, 0o755);
    for (const folder of folders) {
      await makeDirectories(folder.path, folder.mode);
      await access(folder.path, constants.R_OK | constants.W_OK | constants.X_OK);
    }
    await probe(folders.at(-1)?.path ?? path);
  } catch (error) {
    throw new K3tsError(
      'Usage',
      `cannot use --data-dir ${path}: ${messageOf(error)}${adviceFor(error)}`,
      { cause: error },
    );
  }
}

/**
 * As `mkdir -p`. Node's own recursive mkdir never ends where the kernel answers ENOENT below a
 * directory that exists, as in /proc.
 */
export async function makeDirectories(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if (hasCode(error, 'EEXIST') && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (!hasCode(error, 'ENOENT') || parent === path || (await exists(parent))) throw error;
    await makeDirectories(parent, mode);
    await mkdir(path, { mode }).catch((again: unknown) => {
      if (!hasCode(again, 'EEXIST')) throw again;
    });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return false;
    throw error;
  }
}

async function probe(folder: string): Promise<void> {
  const file = join(folder, `.probe-${process.pid}`);
  try {
    await writeFile(file, Buffer.alloc(probeBytes), { mode: 0o600 });
  } finally {
    await rm(file, { force: true });
  }
}

const advice: Readonly<Record<string, string>> = {
  ENOSPC: '; free some space there, or choose another directory',
  EDQUOT: '; free some space there, or choose another directory',
  EROFS: '; choose a directory on a file system that can be written',
  EACCES: '; choose a directory that this user may write',
  ENOTDIR: '; choose a directory',
  EEXIST: '; choose a directory',
  ENOENT: '; choose a directory on a disk',
};

function adviceFor(error: unknown): string {
  return advice[String((error as { code?: unknown }).code)] ?? '';
}
