import { lstat, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';

export interface FilesystemStats {
  readonly capacityBytes: number;
  /** What unprivileged writers can still use. */
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** Size and free space of the file system that `path` lies on. */
export async function statFilesystem(path: string): Promise<FilesystemStats> {
  const stats = await statfs(path);
  return {
    capacityBytes: stats.blocks * stats.bsize,
    availableBytes: stats.bavail * stats.bsize,
    usedBytes: (stats.blocks - stats.bfree) * stats.bsize,
    inodes: stats.files,
    inodesFree: stats.ffree,
  };
}

export interface DirectoryUsage {
  readonly usedBytes: number;
  readonly inodesUsed: number;
  /** False when the walk ended at `maxEntries` or was aborted; the numbers are then too low. */
  readonly isComplete: boolean;
}

/**
 * Disk usage of a directory in allocated blocks, as `du -x`: one file system, hard links once.
 * Files that vanish meanwhile are skipped. The walk is sequential, so it loads neither disk nor us.
 */
export async function directoryUsage(
  path: string,
  options: { maxEntries?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<DirectoryUsage> {
  const { maxEntries = 1_000_000, signal } = options;
  let usedBytes = 0;
  let inodesUsed = 0;
  let device: number | undefined;
  const linked = new Set<number>();
  const pending = [path];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    if (inodesUsed >= maxEntries || signal?.aborted === true) {
      return { usedBytes, inodesUsed, isComplete: false };
    }
    try {
      const stats = await lstat(entry);
      device ??= stats.dev;
      if (stats.dev !== device) continue;
      if (stats.nlink > 1 && !stats.isDirectory()) {
        if (linked.has(stats.ino)) continue;
        linked.add(stats.ino);
      }
      usedBytes += stats.blocks * 512;
      inodesUsed += 1;
      if (!stats.isDirectory()) continue;
      for await (const child of await opendir(entry)) pending.push(join(entry, child.name));
    } catch (error) {
      if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ENOTDIR')) throw error;
    }
  }
  return { usedBytes, inodesUsed, isComplete: true };
}
