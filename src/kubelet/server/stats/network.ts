import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';
import type { CgroupLayout } from '#host/cgroup-layout.ts';

/** Counters of one interface, since it was made. */
export interface InterfaceStats {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** The lines of /proc/net/dev without the loopback interface. */
export function parseNetDev(text: string): InterfaceStats[] {
  return text.split('\n').flatMap((line) => {
    const colon = line.indexOf(':');
    if (colon < 0) return [];
    const name = line.slice(0, colon).trim();
    if (name === 'lo') return [];
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const at = (index: number): number => numbers[index] ?? 0;
    return [
      {
        name,
        rxBytes: at(0),
        rxPackets: at(1),
        rxErrors: at(2),
        rxDropped: at(3),
        txBytes: at(8),
        txPackets: at(9),
        txErrors: at(10),
        txDropped: at(11),
      },
    ];
  });
}

/** The interfaces that the processes of a pod's cgroup see; undefined when it has none left. */
export async function readPodNetwork(
  layout: CgroupLayout,
  path: string,
): Promise<InterfaceStats[] | undefined> {
  const mount = layout.controllers.get('memory') ?? layout.hierarchies[0];
  if (mount === undefined) return undefined;
  try {
    const pid = await anyProcess(join(mount, path));
    if (pid === undefined) return undefined;
    return parseNetDev(await readFile(`/proc/${pid}/net/dev`, 'utf8'));
  } catch (error) {
    // The last process may end at any moment.
    if (hasCode(error, 'ENOENT') || hasCode(error, 'EINVAL') || hasCode(error, 'ESRCH')) {
      return undefined;
    }
    throw error;
  }
}

/** Of the cgroup or one right below it: containers are there. */
async function anyProcess(directory: string): Promise<string | undefined> {
  const first = async (path: string): Promise<string | undefined> =>
    /^\d+/.exec(await readFile(join(path, 'cgroup.procs'), 'utf8'))?.[0];
  const own = await first(directory);
  if (own !== undefined) return own;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const found = entry.isDirectory() ? await first(join(directory, entry.name)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
