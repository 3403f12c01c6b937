import { K3tsError } from '#base/errors.ts';

/** Reads a list of processors as the kernel writes it (`0-3,8`); throws with upstream's text. */
export function parseCpuList(text: string): Set<number> {
  const cpus = new Set<number>();
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
