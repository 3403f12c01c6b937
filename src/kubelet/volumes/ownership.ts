import { chmod, lchown, lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';

const fileBits = 0o660;
const directoryBits = 0o2770;

/**
 * Gives a writable volume to a group, as upstream's fsGroup: files get group read and write,
 * directories the setgid bit besides. With OnRootMismatch nothing is done when the root is right.
 */
export async function applyFsGroup(
  directory: string,
  options: { fsGroup: number; changePolicy?: string | undefined },
): Promise<void> {
  const { fsGroup, changePolicy } = options;
  if (changePolicy === 'OnRootMismatch') {
    const { gid, mode } = await lstat(directory);
    if (gid === fsGroup && (mode & directoryBits) === directoryBits) return;
  }
  // The root comes last, so that an interrupted run is seen as a mismatch.
  const directories = [directory];
  for (const path of directories) {
    for await (const entry of await opendir(path)) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) directories.push(child);
      else await own(child, fsGroup, entry.isSymbolicLink() ? undefined : fileBits);
    }
  }
  for (const path of directories.reverse()) await own(path, fsGroup, directoryBits);
}

/** Gives one directory to a group; what is made in it later is the group's too. */
export async function ownDirectory(path: string, fsGroup: number): Promise<void> {
  await own(path, fsGroup, directoryBits);
}

/** A link's own mode means nothing, so only its group is set. Files may vanish meanwhile. */
async function own(path: string, gid: number, bits: number | undefined): Promise<void> {
  try {
    const { uid, mode } = await lstat(path);
    await lchown(path, uid, gid);
    if (bits !== undefined) await chmod(path, (mode & 0o7777) | bits);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
