import { resolve } from 'node:path';

import { stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';

/** --data-dir as an absolute path: the node's agent and its mounts have other working directories. */
export function readDataDir(values: FlagValues): string {
  return resolve(stringFlag(values, 'data-dir') ?? '/var/lib/rancher/k3s');
}
