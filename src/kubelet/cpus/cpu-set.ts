import { K3tsError } from '#base/errors.ts';

/** Processors by the kernel's numbers; never changed in place. */
export type CpuSet = ReadonlySet<number>;

export const noCpus: CpuSet = new Set();

/** Reads a list of processors as the kernel writes it (`0-3,8`); throws with upstream's text. */
export function parseCpuSet(text: string): Set<number> {
  const cpus = new Set<number>();
  if (text.trim() === '') return cpus;
  for (const part of text.split(',')) {
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === '' || to < from || to > 10_000) {
      throw new K3tsError('InvalidCpuList', `unable to parse ${JSON.stringify(text)} as a cpuset`);
    }
    for (let cpu = from; cpu <= to; cpu += 1) cpus.add(cpu);
  }
  return cpus;
}

/** The kernel's own form: sorted, neighbours as a range. */
export function formatCpuSet(cpus: CpuSet): string {
  const ranges: { first: number; last: number }[] = [];
  for (const cpu of sortedCpus(cpus)) {
    const range = ranges.at(-1);
    if (range !== undefined && range.last + 1 === cpu) range.last = cpu;
    else ranges.push({ first: cpu, last: cpu });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join();
}

export function sortedCpus(cpus: CpuSet): number[] {
  return [...cpus].sort((a, b) => a - b);
}

export function isSameCpus(a: CpuSet, b: CpuSet): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
