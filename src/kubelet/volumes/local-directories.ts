import { chmod, mkdir, rm } from 'node:fs/promises';
import { dirname, normalize } from 'node:path';
import { K3tsError } from '#base/errors.ts';
import { makeDirectory } from '#host/files.ts';
import { listMounts } from '#host/mounts.ts';

/** Directories of provisioned local volumes on this machine, for whoever may proxy to the node. */
export interface LocalDirectories {
  /** Open to everybody, below a directory that only root may enter. */
  make(path: string): Promise<void>;
  /** With everything in it; gone already is no error. Never deletes through a mount. */
  remove(path: string): Promise<void>;
}

const openMode = 0o777;
const closedMode = 0o700;

export function createLocalDirectories(): LocalDirectories {
  return {
    async make(path) {
      checkPath(path);
      const parent = dirname(path);
      await mkdir(parent, { recursive: true });
      await chmod(parent, closedMode);
      await makeDirectory(path, openMode);
    },
    async remove(path) {
      checkPath(path);
      const mounted = (await listMounts()).find(
        (mount) => mount.path === path || mount.path.startsWith(`${path}/`),
      );
      if (mounted !== undefined) {
        throw new K3tsError('DirectoryBusy', `cannot remove ${path}: ${mounted.path} is mounted`);
      }
      await rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
    },
  };
}

/** A slip in a configuration must not cost a whole machine: two levels at least, nothing odd. */
function checkPath(path: string): void {
  const isClean = path.startsWith('/') && normalize(path) === path && !path.endsWith('/');
  if (isClean && path.split('/').length > 2) return;
  throw new K3tsError('DirectoryPath', `invalid path ${JSON.stringify(path)} of a local volume`);
}
