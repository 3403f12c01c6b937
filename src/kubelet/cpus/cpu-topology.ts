import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#base/errors.ts';
import { namesIn } from '#host/files.ts';
import { parseCpuSet } from './cpu-set.ts';
import type { CpuSet } from './cpu-set.ts';

/** Where a processor is: two with the same core are threads of it. */
export interface CpuPlace {
  /** The lowest processor of the core, so that cores of two sockets differ. */
  readonly core: number;
  readonly socket: number;
  readonly numaNode: number;
  /** Which last-level cache it uses. */
  readonly cache: number;
}

/** The processors of the machine that are online. */
export interface CpuTopology {
  readonly places: ReadonlyMap<number, CpuPlace>;
}

export type CpuGroup = keyof CpuPlace;

export function allCpus({ places }: CpuTopology): CpuSet {
  return new Set(places.keys());
}

/** Processors by what they share; groups in the order of their numbers. */
export function groupCpus(
  { places }: CpuTopology,
  group: CpuGroup,
  among: CpuSet,
): [id: number, cpus: number[]][] {
  const groups = new Map<number, number[]>();
  for (const [cpu, place] of places) {
    if (!among.has(cpu)) continue;
    const list = groups.get(place[group]) ?? [];
    groups.set(place[group], list);
    list.push(cpu);
  }
  return [...groups].sort(([a], [b]) => a - b);
}

/** Threads of a core, processors of a socket: the machine's average, as upstream counts. */
export function cpusPer(topology: CpuTopology, group: CpuGroup): number {
  const all = allCpus(topology);
  if (all.size === 0) return 1;
  return Math.max(Math.floor(all.size / groupCpus(topology, group, all).length), 1);
}

/** Reads /sys; `directory` is /sys/devices/system but in tests. */
export async function readCpuTopology(directory = '/sys/devices/system'): Promise<CpuTopology> {
  const cpus = parseCpuSet((await read(join(directory, 'cpu/online'))) || '0');
  const numaNodes = await readNumaNodes(join(directory, 'node'));
  const places = new Map<number, CpuPlace>();
  for (const cpu of [...cpus].sort((a, b) => a - b)) {
    const own = join(directory, `cpu/cpu${cpu}`);
    const threads = parseCpuSet(await read(join(own, 'topology/thread_siblings_list')));
    const socket = Number((await read(join(own, 'topology/physical_package_id'))) || 0);
    const shared = parseCpuSet(await read(join(own, 'cache/index3/shared_cpu_list')));
    places.set(cpu, {
      core: Math.min(cpu, ...threads),
      socket: Math.max(socket, 0),
      numaNode: numaNodes.get(cpu) ?? 0,
      cache: Math.min(cpu, ...shared),
    });
  }
  return { places };
}

async function readNumaNodes(directory: string): Promise<Map<number, number>> {
  const nodes = new Map<number, number>();
  for (const name of await namesIn(directory)) {
    const id = /^node(\d+)$/.exec(name)?.[1];
    if (id === undefined) continue;
    for (const cpu of parseCpuSet(await read(join(directory, name, 'cpulist')))) {
      nodes.set(cpu, Number(id));
    }
  }
  return nodes;
}

/** Empty for what the kernel does not tell: virtual machines hide some of it. */
async function read(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
