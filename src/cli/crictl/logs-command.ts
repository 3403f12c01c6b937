import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

import { K3tsError } from '#base/errors.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import { integerFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { findOne } from './find.ts';

/** Prints a container's log file without the times and stream names that the runtime puts there. */
export async function printLogs(options: {
  cri: CriClient;
  wanted: string;
  values: FlagValues;
  stdout: (text: string) => void;
}): Promise<number> {
  const { cri, wanted, values, stdout } = options;
  const container = findOne('container', await cri.runtime.listContainers(), wanted);
  const { logPath } = await cri.runtime.containerStatus(container.id);
  if (logPath === '') throw new K3tsError('NotFound', `container ${container.id} has no log`);
  const tail = integerFlag(values, 'tail');
  const kept: string[] = [];
  const lines = createInterface({ input: createReadStream(logPath) });
  for await (const line of lines) {
    const text = contentOf(line);
    if (tail === undefined) {
      stdout(text);
      continue;
    }
    kept.push(text);
    if (kept.length > tail) kept.shift();
  }
  stdout(kept.join(''));
  return 0;
}

/** `<time> stdout F text`: F ends a line, P is a part of one. */
function contentOf(line: string): string {
  const [, , tag = 'F'] = line.split(' ', 3);
  const start = nthSpace(line, 3) + 1;
  return `${line.slice(start)}${tag.startsWith('P') ? '' : '\n'}`;
}

function nthSpace(line: string, count: number): number {
  let at = -1;
  for (let found = 0; found < count; found++) {
    at = line.indexOf(' ', at + 1);
    if (at < 0) return line.length;
  }
  return at;
}
