import { join } from 'node:path';
import { namesIn, readOptional } from '#host/files.ts';

/** What one NUMA node of the machine has. */
export interface NumaNode {
  readonly id: number;
  readonly memoryBytes: number;
  /** Page size in KiB to total bytes. */
  readonly hugePages: ReadonlyMap<number, number>;
  /** To each node, in the order of their ids. */
  readonly distances: readonly number[];
}

/** A machine whose kernel knows no NUMA nodes. */
export function oneNumaNode(
  memoryBytes: number,
  hugePages: ReadonlyMap<number, number> = new Map(),
): NumaNode {
  return { id: 0, memoryBytes, hugePages, distances: [10] };
}

/**
 * Reads /sys in the order of the nodes' ids; empty where the kernel tells none. `directory` is
 * /sys/devices/system/node but in tests.
 */
export async function readNumaNodes(directory = '/sys/devices/system/node'): Promise<NumaNode[]> {
  const ids = (await namesIn(directory))
    .map((name) => /^node(\d+)$/.exec(name)?.[1])
    .filter((id) => id !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  return await Promise.all(ids.map((id) => readNode(join(directory, `node${id}`), id)));
}

async function readNode(directory: string, id: number): Promise<NumaNode> {
  const memory = (await readOptional(join(directory, 'meminfo'))) ?? '';
  const kib = Number(/MemTotal:\s+(\d+) kB/.exec(memory)?.[1] ?? 0);
  const distances = ((await readOptional(join(directory, 'distance'))) ?? '').trim();
  const hugePages = new Map<number, number>();
  for (const name of await namesIn(join(directory, 'hugepages'))) {
    const sizeKib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    if (!Number.isSafeInteger(sizeKib)) continue;
    const count = await readOptional(join(directory, 'hugepages', name, 'nr_hugepages'));
    hugePages.set(sizeKib, Number(count ?? 0) * sizeKib * 1024);
  }
  return {
    id,
    memoryBytes: kib * 1024,
    hugePages,
    distances: distances === '' ? [] : distances.split(/\s+/).map(Number),
  };
}
