import { accessSync, constants, realpathSync } from 'node:fs';
import { join } from 'node:path';

import { K3tsError } from '#base/errors.ts';

/** Folders that a plain user's PATH may lack. */
const extraFolders = ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/sbin', '/bin'];

/**
 * Becomes another program, with the same pid, terminal and signals. Returns only by throwing:
 * `NotFound` when the program is not on PATH.
 */
export function replaceProcess(options: {
  program: string;
  args: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  /** What to do when it is not there. */
  hint: string;
}): Promise<number> {
  const { program, args, environment, hint } = options;
  const folders = [...(environment['PATH'] ?? '').split(':'), ...extraFolders];
  const path = folders.map((folder) => join(folder, program)).find(isForeignProgram);
  if (path === undefined) throw new K3tsError('NotFound', `${program} not found in PATH: ${hint}`);
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && name !== 'K3TS_CALLED_AS') variables[name] = value;
  }
  process.execve?.(path, [path, ...args], variables);
  throw new K3tsError('NotFound', `${path} cannot be run`);
}

/** Whether the file can be run and is no link to k3ts itself, which would go round for ever. */
function isForeignProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return !realpathSync(path).endsWith('/bin/k3ts');
  } catch {
    return false;
  }
}
