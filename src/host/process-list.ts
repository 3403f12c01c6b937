import { readdir, readFile } from 'node:fs/promises';

export interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  /** The words of its command line; none for kernel threads and zombies. */
  readonly args: readonly string[];
}

/** The processes of this pid namespace; one that ends meanwhile is left out. */
export async function listProcesses(root = '/proc'): Promise<ListedProcess[]> {
  const names = (await readdir(root)).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map((name) => readProcess(root, name)));
  return found.filter((one) => one !== undefined);
}

async function readProcess(root: string, name: string): Promise<ListedProcess | undefined> {
  const [line, stat] = await Promise.all([
    readFile(`${root}/${name}/cmdline`, 'utf8').catch(() => undefined),
    readFile(`${root}/${name}/stat`, 'utf8').catch(() => undefined),
  ]);
  if (line === undefined || stat === undefined) return undefined;
  // The name before the closing bracket may hold anything.
  const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid: Number(name), parent: Number(parent), args: line.split('\0').slice(0, -1) };
}

/** A process's children and theirs, parents first. */
export function descendantsOf(pid: number, processes: readonly ListedProcess[]): number[] {
  const found: number[] = [];
  const queue = [pid];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const child of processes) {
      if (child.parent !== next || found.includes(child.pid)) continue;
      found.push(child.pid);
      queue.push(child.pid);
    }
  }
  return found;
}
