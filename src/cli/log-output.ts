import { appendFileSync, openSync } from 'node:fs';

import { K3tsError, messageOf } from '#base/errors.ts';
import { booleanFlag, stringFlag } from './flags/flag.ts';
import type { FlagValues } from './flags/flag.ts';

/** Where log lines go: stderr, or the file of --log, or both with --alsologtostderr. */
export function openLog(
  values: FlagValues,
  stderr: (text: string) => void,
): (line: string) => void {
  const file = stringFlag(values, 'log');
  if (file === undefined) return stderr;
  const alsoStderr = booleanFlag(values, 'alsologtostderr');
  let descriptor: number;
  try {
    descriptor = openSync(file, 'a', 0o600);
  } catch (error) {
    throw new K3tsError('Usage', `cannot open --log ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return (line) => {
    appendFileSync(descriptor, line);
    if (alsoStderr) stderr(line);
  };
}
