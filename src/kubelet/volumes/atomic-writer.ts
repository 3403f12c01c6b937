import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { hasCode } from '#base/errors.ts';
import type { Random } from '#base/random.ts';
import { ownDirectory } from './ownership.ts';
import type { Payload, PayloadFile } from './payload.ts';
import { VolumeError } from './volume-error.ts';

export interface AtomicWriteOptions {
  /** The volume's directory, which exists. */
  directory: string;
  payload: Payload;
  /** Group that owns the volume and its files; they get group read besides. */
  fsGroup?: number | undefined;
  clock: Clock;
  random: Random;
}

const dataName = '..data';
const newDataName = '..data_tmp';

/**
 * Replaces the content of a volume at once: files go to a new directory, `..data` is switched to
 * it, and user-visible names are links through `..data`. Readers see the old or the new content,
 * never a mixture. Returns false when nothing differed and nothing was written.
 */
export async function writeAtomically(options: AtomicWriteOptions): Promise<boolean> {
  const { directory, payload, fsGroup } = options;
  for (const path of payload.keys()) checkPath(path);
  const oldName = await readLinkOptional(join(directory, dataName));
  const files = withGroup(payload, fsGroup);
  if (oldName !== undefined && (await isEqual(join(directory, oldName), files, fsGroup))) {
    // A crash may have come between the switch and the links.
    await linkNames(directory, files);
    return false;
  }
  if (fsGroup !== undefined) await ownDirectory(directory, fsGroup);
  const newName = directoryName(options.clock.now(), options.random);
  await writeFiles(join(directory, newName), files, fsGroup);
  await rm(join(directory, newDataName), { force: true });
  await symlink(newName, join(directory, newDataName));
  await rename(join(directory, newDataName), join(directory, dataName));
  await linkNames(directory, files);
  await removeOld(directory, files, newName);
  return true;
}

/** Paths come from validated objects; this is the last line of defence. */
function checkPath(path: string): void {
  const parts = path.split('/');
  const isBad = path === '' || path.startsWith('/') || parts.some((part) => part === '..');
  if (isBad || parts[0]?.startsWith('..') === true) {
    throw new VolumeError(`invalid path in payload: ${JSON.stringify(path)}`);
  }
}

function withGroup(payload: Payload, fsGroup: number | undefined): Payload {
  if (fsGroup === undefined) return payload;
  return new Map([...payload].map(([path, file]) => [path, { ...file, mode: file.mode | 0o440 }]));
}

/** `..2026_01_31_13_05_59.123456789`. */
function directoryName(nowMs: number, random: Random): string {
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replace(/[-T:]/g, '_');
  return `..${stamp}.${random.integer(4_000_000_000)}`;
}

async function readLinkOptional(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function isEqual(
  directory: string,
  files: Payload,
  fsGroup: number | undefined,
): Promise<boolean> {
  try {
    const existing = await readdir(directory, { recursive: true, withFileTypes: true });
    if (existing.filter((entry) => !entry.isDirectory()).length !== files.size) return false;
    for (const [path, file] of files) {
      const full = join(directory, path);
      const { mode, gid, uid } = await stat(full);
      if ((mode & 0o777) !== (file.mode & 0o777)) return false;
      if (fsGroup !== undefined && gid !== fsGroup) return false;
      if (file.uid !== undefined && uid !== file.uid) return false;
      if (!file.content.equals(await readFile(full))) return false;
    }
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return false;
    throw error;
  }
}

async function writeFiles(
  directory: string,
  files: Payload,
  fsGroup: number | undefined,
): Promise<void> {
  await makeDirectory(directory, fsGroup);
  const made = new Set<string>(['.']);
  for (const [path, file] of files) {
    const parts = dirname(path).split('/');
    for (let depth = 1; depth <= parts.length; depth++) {
      const parent = parts.slice(0, depth).join('/');
      if (made.has(parent)) continue;
      made.add(parent);
      await makeDirectory(join(directory, parent), fsGroup);
    }
    await writeOne(join(directory, path), file, fsGroup);
  }
}

async function makeDirectory(path: string, fsGroup: number | undefined): Promise<void> {
  await mkdir(path);
  if (fsGroup !== undefined) await chown(path, 0, fsGroup);
  // Whatever the umask says.
  await chmod(path, fsGroup === undefined ? 0o755 : 0o2755);
}

async function writeOne(
  path: string,
  file: PayloadFile,
  fsGroup: number | undefined,
): Promise<void> {
  await writeFile(path, file.content, { mode: 0o600, flag: 'wx' });
  if (file.uid !== undefined || fsGroup !== undefined) {
    await chown(path, file.uid ?? 0, fsGroup ?? 0);
  }
  await chmod(path, file.mode);
}

const firstParts = (files: Payload): Set<string> =>
  new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));

async function linkNames(directory: string, files: Payload): Promise<void> {
  for (const name of firstParts(files)) {
    const link = join(directory, name);
    const target = join(dataName, name);
    if ((await readLinkOptional(link).catch(() => undefined)) === target) continue;
    await rm(link, { recursive: true, force: true });
    await symlink(target, link);
  }
}

/** Removes links whose file is gone and directories of earlier writes. */
async function removeOld(directory: string, files: Payload, newName: string): Promise<void> {
  const wanted = firstParts(files);
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (name === dataName || name === newName) continue;
    if (name.startsWith('..')) await rm(path, { recursive: true, force: true });
    else if (!wanted.has(name) && (await lstat(path)).isSymbolicLink()) await unlink(path);
  }
}
