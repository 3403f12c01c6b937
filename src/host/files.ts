import { chmod, mkdir, open, readdir, readFile, stat, type FileHandle } from 'node:fs/promises';
import { hasCode } from '#base/errors.ts';

export type PathKind =
  | 'directory'
  | 'file'
  | 'socket'
  | 'character device'
  | 'block device'
  | 'other';

/** What is at a path, links followed; undefined when nothing is. */
export async function pathKind(path: string): Promise<PathKind | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return 'directory';
    if (found.isFile()) return 'file';
    if (found.isSocket()) return 'socket';
    if (found.isCharacterDevice()) return 'character device';
    if (found.isBlockDevice()) return 'block device';
    return 'other';
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Makes a directory and those above it, with this mode whatever the umask says. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
}

/** Makes an empty file; one that is there stays as it is. Its directory must exist. */
export async function makeFile(path: string, mode: number): Promise<void> {
  const file = await open(path, 'a');
  try {
    await file.chmod(mode);
  } finally {
    await file.close();
  }
}

/** A file's text; undefined when there is none. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Names in a directory; none where it is missing. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}

/** At most the last `limitBytes` of a file; undefined when there is none. */
export async function readTail(path: string, limitBytes: number): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(size - limitBytes, 0);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(size - start),
      0,
      size - start,
      start,
    );
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
