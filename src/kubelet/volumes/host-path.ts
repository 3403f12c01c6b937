import { makeDirectory, makeFile, pathKind, type PathKind } from '#host/files.ts';
import { VolumeError } from './volume-error.ts';

/** Type to what must be there, and the words of upstream for it. */
const checks: Readonly<Record<string, readonly [PathKind, string]>> = {
  Directory: ['directory', 'a directory'],
  DirectoryOrCreate: ['directory', 'a directory'],
  File: ['file', 'a file'],
  FileOrCreate: ['file', 'a file'],
  Socket: ['socket', 'a socket file'],
  CharDevice: ['character device', 'a character device'],
  BlockDevice: ['block device', 'a block device'],
};

/** Checks a hostPath volume against its type, making what may be made. Throws VolumeError. */
export async function checkHostPath(path: string, type = ''): Promise<void> {
  if (type === '') return;
  const check = checks[type];
  if (check === undefined)
    throw new VolumeError(`hostPath type check failed: unknown type ${type}`);
  const [wanted, words] = check;
  let kind = await pathKind(path);
  if (kind === undefined && type === 'DirectoryOrCreate') await makeDirectory(path, 0o755);
  if (kind === undefined && type === 'FileOrCreate') await makeFile(path, 0o644);
  if (kind === undefined && type.endsWith('OrCreate')) kind = wanted;
  if (kind !== wanted) throw new VolumeError(`hostPath type check failed: ${path} is not ${words}`);
}
