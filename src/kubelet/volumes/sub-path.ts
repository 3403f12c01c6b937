import { constants } from 'node:fs';
import { mkdir, open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { hasCode } from '#base/errors.ts';
import { makeDirectory, makeFile } from '#host/files.ts';
import { bindMount, isMountPoint, unmount } from '#host/mounts.ts';
import { ContainerConfigError } from '../containers/config-error.ts';
import type { SubPathRequest } from '../volume-host.ts';
import type { PodDirectories } from './pod-directories.ts';

/** Linux' O_PATH: a handle for the place in the tree, not for its content. */
const openPath = 0o10_000_000;
const flags = openPath | constants.O_NOFOLLOW;

/**
 * Binds a path within a volume. Containers may change the volume meanwhile, so the place is walked
 * down by handle without following links, and the handle is what gets bound. Links that stay in the
 * volume are resolved before; links that leave it are refused.
 */
export async function bindSubPath(
  request: SubPathRequest,
  directories: PodDirectories,
): Promise<string> {
  const { podUid, volumeName, containerName, mountIndex, volume, subPath } = request;
  const target = directories.subPath(podUid, volumeName, containerName, mountIndex);
  const where = `volumeMount "${volumeName}" of container "${containerName}"`;
  const root = await realpath(volume.hostPath);
  try {
    await ensureExists(root, subPath);
  } catch (error) {
    throw new ContainerConfigError(`failed to create subPath directory for ${where}`, {
      cause: error,
    });
  }
  try {
    const real = await realpath(join(root, subPath));
    const handle = await openWithin(root, real);
    try {
      await bindHandle(handle, target);
    } finally {
      await handle.close();
    }
    return target;
  } catch (error) {
    throw new ContainerConfigError(`failed to prepare subPath for ${where}`, { cause: error });
  }
}

/** Makes a missing directory with the mode of the volume's root. */
async function ensureExists(root: string, subPath: string): Promise<void> {
  const parts = subPath.split('/').filter((part) => part !== '' && part !== '.');
  let path = root;
  for (const [index, part] of parts.entries()) {
    try {
      path = await realpath(join(path, part));
      checkWithin(root, path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      await makeBelow(root, path, parts.slice(index));
      return;
    }
  }
}

async function makeBelow(root: string, parent: string, parts: readonly string[]): Promise<void> {
  const { mode, uid, gid } = await stat(root);
  let handle = await openWithin(root, parent);
  try {
    for (const part of parts) {
      const path = `/proc/self/fd/${handle.fd}/${part}`;
      await mkdir(path, { mode: 0o700 });
      const next = await open(path, flags);
      await handle.close();
      handle = next;
      await makeDirectory(`/proc/self/fd/${handle.fd}/.`, mode & 0o7777);
      await chownPath(`/proc/self/fd/${handle.fd}/.`, uid, gid);
    }
  } finally {
    await handle.close();
  }
}

async function chownPath(path: string, uid: number, gid: number): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.chown(uid, gid);
  } finally {
    await directory.close();
  }
}

function checkWithin(root: string, path: string): void {
  const inside = relative(root, path);
  if (inside === '..' || inside.startsWith('../')) {
    throw new ContainerConfigError(`${path} is outside of the volume ${root}`);
  }
}

/** A handle of `real`, opened from the volume's root step by step without following links. */
async function openWithin(root: string, real: string): Promise<FileHandle> {
  checkWithin(root, real);
  let handle = await open(root, flags);
  try {
    for (const part of relative(root, real).split('/').filter(Boolean)) {
      const next = await open(`/proc/self/fd/${handle.fd}/${part}`, flags);
      await handle.close();
      handle = next;
      if ((await handle.stat()).isSymbolicLink()) {
        throw new ContainerConfigError(`unexpected link ${part} below ${root}`);
      }
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function bindHandle(handle: FileHandle, target: string): Promise<void> {
  const source = await handle.stat();
  if (await isMountPoint(target)) {
    const bound = await stat(target);
    if (bound.dev === source.dev && bound.ino === source.ino) return;
    unmount(target);
  }
  if (source.isDirectory()) await makeDirectory(target, 0o750);
  else {
    await makeDirectory(dirname(target), 0o750);
    await makeFile(target, 0o640);
  }
  bindMount(`/proc/self/fd/${handle.fd}`, target, { isRecursive: true });
}
