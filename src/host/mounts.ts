import { readFile, realpath } from 'node:fs/promises';
import { hasCode } from '#base/errors.ts';
import { callMount, callUnmount, mountFlags } from './libc.ts';

/** A line of /proc/self/mountinfo. */
export interface MountPoint {
  readonly id: number;
  readonly parentId: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** The directory of the file system that is mounted: `/` unless it is a bind or a subtree. */
  readonly root: string;
  readonly path: string;
  readonly options: readonly string[];
  /** `shared:N`, `master:N`, `unbindable`; empty means private. */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** Spaces, tabs, newlines and backslashes are written as octal escapes. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_match, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Parses mountinfo; lines that do not fit the format are left out. */
export function parseMountInfo(text: string): MountPoint[] {
  const mounts: MountPoint[] = [];
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ');
    if (left === undefined || right === undefined) continue;
    const [id, parentId, device, root, path, options, ...propagation] = left.split(' ');
    const [type, source, superOptions] = right.split(' ');
    if (path === undefined || options === undefined || type === undefined) continue;
    mounts.push({
      id: Number(id),
      parentId: Number(parentId),
      device: device ?? '',
      root: unescape(root ?? ''),
      path: unescape(path),
      options: options.split(','),
      propagation,
      type,
      source: unescape(source ?? ''),
      superOptions: (superOptions ?? '').split(','),
    });
  }
  return mounts;
}

/** All mounts of our mount namespace, in the order they were made. */
export async function listMounts(): Promise<MountPoint[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** The mount whose file system `path` lies on; `path` must be absolute and without symlinks. */
export function mountOf(mounts: readonly MountPoint[], path: string): MountPoint | undefined {
  let best: MountPoint | undefined;
  for (const mount of mounts) {
    const isAbove = mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`);
    // Of several mounts on one path the last made is on top.
    if (isAbove && (best === undefined || mount.path.length >= best.path.length)) best = mount;
  }
  return best;
}

export async function isMountPoint(path: string): Promise<boolean> {
  try {
    const real = await realpath(path);
    return (await listMounts()).some((mount) => mount.path === real);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Mounts a tmpfs; `mode` is the mode of its root. */
export function mountTmpfs(
  path: string,
  options: { sizeBytes?: number | undefined; mode?: number | undefined } = {},
): void {
  const data = [
    ...(options.sizeBytes === undefined ? [] : [`size=${Math.floor(options.sizeBytes)}`]),
    ...(options.mode === undefined ? [] : [`mode=${options.mode.toString(8)}`]),
  ].join(',');
  callMount({ source: 'tmpfs', target: path, type: 'tmpfs', data });
}

/**
 * Binds `source` (a directory or a file) on `target`, which must exist. Read-only needs a second
 * call, since the kernel ignores the flag on the first; it applies to the top mount only.
 */
export function bindMount(
  source: string,
  target: string,
  options: { isReadOnly?: boolean | undefined; isRecursive?: boolean | undefined } = {},
): void {
  const recursive = options.isRecursive === true ? mountFlags.recursive : 0;
  callMount({ source, target, flags: mountFlags.bind | recursive });
  if (options.isReadOnly === true) {
    callMount({ target, flags: mountFlags.bind | mountFlags.remount | mountFlags.readOnly });
  }
}

/**
 * Any file system: `mountFileSystem('bpf', '/sys/fs/bpf')`. For network file systems use mount(8).
 */
export function mountFileSystem(type: string, target: string, data?: string): void {
  callMount({ source: type, target, type, data });
}

/** Changes the propagation of a mount and, unless told otherwise, of all below it. */
export function setPropagation(
  path: string,
  propagation: 'shared' | 'slave' | 'private',
  options: { isRecursive?: boolean | undefined } = {},
): void {
  const recursive = options.isRecursive === false ? 0 : mountFlags.recursive;
  callMount({ target: path, flags: mountFlags[propagation] | recursive });
}

/**
 * Makes `path` a mount point whose mounts spread to containers, also where `/` is private: binds
 * the directory onto itself when it is not shared already. Returns whether it had to.
 */
export async function ensureShared(path: string): Promise<boolean> {
  const real = await realpath(path);
  const mount = mountOf(await listMounts(), real);
  if (mount?.propagation.some((tag) => tag.startsWith('shared:')) === true) return false;
  if (mount?.path !== real) bindMount(real, real, { isRecursive: true });
  setPropagation(real, 'shared');
  return true;
}

/** Unmounts one mount; one that is not there is fine. A busy one is detached lazily. */
export function unmount(path: string): void {
  try {
    callUnmount(path);
  } catch (error) {
    if (hasCode(error, 'EINVAL') || hasCode(error, 'ENOENT')) return;
    if (!hasCode(error, 'EBUSY')) throw error;
    callUnmount(path, { lazy: true });
  }
}

/** Unmounts everything at and below a directory, the last made first. Returns what it unmounted. */
export async function unmountTree(directory: string): Promise<string[]> {
  let real = directory;
  try {
    real = await realpath(directory);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  const below = (await listMounts()).filter(
    (mount) => mount.path === real || mount.path.startsWith(`${real}/`),
  );
  const unmounted: string[] = [];
  for (const mount of below.reverse()) {
    unmount(mount.path);
    unmounted.push(mount.path);
  }
  return unmounted;
}
