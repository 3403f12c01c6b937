import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory, makeFile, readOptional, readTail } from '#host/files.ts';
import { podDirectories } from '../volumes/mod.ts';
import type { HostFiles } from '../volume-host.ts';

export interface HostFilesOptions {
  /** `/var/lib/kubelet`. */
  rootDirectory: string;
  /** The file that pods inherit their DNS settings from. */
  resolvConf: string;
}

/** Files of pods that are no volumes, and the machine's files that they are made from. */
export function createHostFiles(options: HostFilesOptions): HostFiles {
  const directories = podDirectories(options.rootDirectory);
  return {
    readHosts: async () => (await readOptional('/etc/hosts')) ?? '',
    readResolvConf: async () => (await readOptional(options.resolvConf)) ?? '',
    async writeEtcHosts(podUid, text) {
      const path = directories.etcHosts(podUid);
      if ((await readOptional(path)) === text) return path;
      await makeDirectory(directories.pod(podUid), 0o750);
      // In place: containers have this very file mounted.
      await writeFile(path, text);
      await chmod(path, 0o644);
      return path;
    },
    async createTerminationLog(podUid, containerName, id) {
      const directory = directories.container(podUid, containerName);
      await makeDirectory(directory, 0o750);
      const path = join(directory, id);
      await makeFile(path, 0o666);
      return path;
    },
    readTail,
  };
}
