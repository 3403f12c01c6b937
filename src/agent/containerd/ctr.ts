import type { Readable } from 'node:stream';
import { runCommand, type CommandResult } from '#host/process.ts';

/** containerd's image store in the namespace of the CRI, by way of ctr. */
export interface ImageStore {
  /** Names of the images, digests included. */
  list(): Promise<Set<string>>;
  /** Imports an archive and returns the names of its images. */
  import(archive: Buffer | Readable): Promise<string[]>;
  /** Keeps images from garbage collection. */
  pin(names: readonly string[]): Promise<void>;
}

const shortTimeoutMs = 30_000;
const importTimeoutMs = 15 * 60_000;

/** Names in the output of `ctr images import`: `unpacking NAME (sha256:…)...done`. */
export function importedNames(output: string): string[] {
  const names = [...output.matchAll(/^unpacking (\S+) \(|^(\S+)\s+saved\b/gm)];
  return names.map((match) => match[1] ?? match[2] ?? '');
}

export function createImageStore(options: {
  ctr: string;
  socket: string;
  snapshotter: string;
  /** containerd's major version: 2 imports by its transfer service unless told otherwise. */
  majorVersion: number;
  signal?: AbortSignal | undefined;
}): ImageStore {
  const { ctr, socket, snapshotter, majorVersion, signal } = options;
  const run = (
    args: readonly string[],
    timeoutMs: number,
    stdin?: Buffer | Readable,
  ): Promise<CommandResult> =>
    runCommand({
      command: ctr,
      args: ['--address', socket, '--namespace', 'k8s.io', 'images', ...args],
      timeoutMs,
      stdin,
      signal,
    });
  const local = majorVersion >= 2 ? ['--local'] : [];
  return {
    async list() {
      const { stdout } = await run(['list', '--quiet'], shortTimeoutMs);
      return new Set(stdout.split('\n').filter(Boolean));
    },
    async import(archive) {
      const args = ['import', ...local, '--snapshotter', snapshotter, '-'];
      const { stdout } = await run(args, importTimeoutMs, archive);
      return importedNames(stdout);
    },
    async pin(names) {
      for (const name of names) {
        await run(['label', name, 'io.cri-containerd.pinned=pinned'], shortTimeoutMs);
      }
    },
  };
}
