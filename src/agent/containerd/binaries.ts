import { join } from 'node:path';
import { K3tsError } from '#base/errors.ts';
import { findExecutable, runCommand } from '#host/process.ts';

export interface ContainerdVersion {
  readonly major: number;
  readonly minor: number;
  /** As the program prints it: `1.6.20~ds1`, `v2.1.4`. */
  readonly text: string;
}

/** The programs that running containers takes, with full paths. */
export interface RuntimeBinaries {
  readonly containerd: string;
  readonly ctr: string;
  readonly runc: string;
  readonly shim: string;
  readonly version: ContainerdVersion;
}

const hints: Readonly<Record<string, string>> = {
  containerd: 'apt-get install containerd',
  ctr: 'apt-get install containerd',
  'containerd-shim-runc-v2': 'apt-get install containerd',
  runc: 'apt-get install runc',
};

/** `containerd github.com/containerd/containerd 1.6.20~ds1 <commit>`. */
export function parseContainerdVersion(text: string): ContainerdVersion {
  const match = /\bv?(\d+)\.(\d+)\.\S+/.exec(text);
  return {
    major: Number(match?.[1] ?? 1),
    minor: Number(match?.[2] ?? 0),
    text: match?.[0] ?? text.trim(),
  };
}

/** Finds the programs in `path` (the PATH variable); a missing one is an error of one line. */
export async function findRuntimeBinaries(path: string): Promise<RuntimeBinaries> {
  const find = (name: string): string => {
    const found = findExecutable(name, path);
    if (found !== undefined) return found;
    throw new K3tsError(
      'RuntimeMissing',
      `${name} not found in PATH: install it (${hints[name]}) or point ` +
        `--container-runtime-endpoint at a running CRI runtime`,
    );
  };
  const containerd = find('containerd');
  const { stdout } = await runCommand({
    command: containerd,
    args: ['--version'],
    timeoutMs: 10_000,
  });
  return {
    containerd,
    ctr: find('ctr'),
    runc: find('runc'),
    shim: find('containerd-shim-runc-v2'),
    version: parseContainerdVersion(stdout),
  };
}

/** Where distributions put the CNI reference plugins. */
const cniDirectories = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];

/**
 * The directories that hold CNI plugins, the ones with the bridge plugin first. `own` is looked at
 * before those of the distribution.
 */
export function findCniDirectories(own: readonly string[]): string[] {
  return [...own, ...cniDirectories].filter(
    (directory) => findExecutable(join(directory, 'bridge'), '') !== undefined,
  );
}
