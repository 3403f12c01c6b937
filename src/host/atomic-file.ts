import { mkdtemp, open, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { K3tsError, messageOf } from '#base/errors.ts';
import { makeDirectories } from './data-directory.ts';

/**
 * Writes a file so that readers and a crash see the old or the new content, never a part: a
 * temporary file beside it, fsync, rename. Makes missing folders with mode 0700. Errors name the
 * file and keep the code of the system: ENOSPC, EROFS, …
 */
export async function writeFileAtomic(
  path: string,
  content: string | Buffer,
  mode = 0o600,
): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    await makeDirectories(dirname(path), 0o700);
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(content);
      // The umask may have taken bits away.
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // Told is what went wrong first.
    await rm(temporary, { force: true }).catch(() => undefined);
    const { code = 'WriteFailed' } = error as NodeJS.ErrnoException;
    throw new K3tsError(code, `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Makes `path` a symbolic link to `target`, in place of a file or link that is there. Readers see
 * the old or the new one, and of several callers at once the last wins. Makes missing folders.
 */
export async function replaceLink(path: string, target: string): Promise<void> {
  await makeDirectories(dirname(path), 0o755);
  const own = await mkdtemp(join(dirname(path), '.link-'));
  try {
    const link = join(own, 'link');
    await symlink(target, link);
    await rename(link, path);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** The content of a text file, or undefined when there is none. */
export async function readFileIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
