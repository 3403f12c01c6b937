import { readFileSync } from 'node:fs';

import { K3tsError, messageOf } from '#base/errors.ts';
import { stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';

/** The text of --<name>, or of the file that --<name>-file names; empty when neither is given. */
export function readToken(values: FlagValues, name: string): string {
  const token = stringFlag(values, name);
  if (token !== undefined) return token;
  const file = stringFlag(values, `${name}-file`);
  if (file === undefined) return '';
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new K3tsError('Usage', `cannot read --${name}-file ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
