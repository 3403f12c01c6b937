import { readdir, readFile } from 'node:fs/promises';
import { systemClock } from '#base/clock.ts';
import { readProcesses } from './machine-state.ts';

/** One process, or all of a kind together. */
export interface ProcessSize {
  readonly count: number;
  readonly rssMb: number;
  readonly files: number;
}

export type Sizes = Readonly<Record<string, ProcessSize>>;

const kinds = {
  server: /^k3ts server/,
  agent: /^k3ts agent/,
  containerd: /^\S*containerd --config/,
  shims: /^\S*containerd-shim-runc-v2 -namespace/,
} as const;

/** Resident memory and open files of k3ts and its runtime; of shims only what they do not share. */
export async function readSizes(): Promise<Sizes> {
  const processes = await readProcesses();
  const sizes: Record<string, ProcessSize> = {};
  for (const [kind, pattern] of Object.entries(kinds)) {
    const pids = processes.filter(({ line }) => pattern.test(line)).map(({ pid }) => pid);
    const one = await Promise.all(pids.map((pid) => sizeOf(pid, kind === 'shims' ? 'Pss' : 'Rss')));
    const sum = (field: 'rssMb' | 'files'): number =>
      Math.round(one.reduce((total, size) => total + size[field], 0));
    sizes[kind] = { count: pids.length, rssMb: sum('rssMb'), files: sum('files') };
  }
  return sizes;
}

async function sizeOf(pid: number, line: string): Promise<{ rssMb: number; files: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const kb = Number(new RegExp(`^${line}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  return { rssMb: kb / 1024, files: files.length };
}

/**
 * k3ts collects garbage when it has been idle for a while, and again two minutes later, when caches
 * have let go of the latest changes; after this nothing more comes.
 */
const calmMs = 145_000;

/** Waits until memory has not come down any more for a while, within a limit. */
export async function settleMemory(limitSeconds: number): Promise<Sizes> {
  const endMs = systemClock.monotonicMs() + limitSeconds * 1000;
  const total = ({ server, agent }: Sizes): number => (server?.rssMb ?? 0) + (agent?.rssMb ?? 0);
  let best = await readSizes();
  let bestMs = systemClock.monotonicMs();
  while (systemClock.monotonicMs() < Math.min(endMs, bestMs + calmMs)) {
    await systemClock.sleep(2000);
    const sizes = await readSizes();
    if (total(sizes) >= total(best)) continue;
    best = sizes;
    bestMs = systemClock.monotonicMs();
  }
  return best;
}

/** Code that was compiled and tables that were read for the first time may stay. */
const allowedMb: Readonly<Record<string, number>> = {
  server: 48,
  agent: 48,
  containerd: 48,
  shims: 0,
};
const allowedFiles = 24;

/** What has grown beyond its bound. */
export function growth(base: Sizes, after: Sizes): string[] {
  return Object.entries(after).flatMap(([kind, { rssMb, files, count }]) => {
    const { rssMb: baseMb = 0, files: baseFiles = 0, count: baseCount = 0 } = base[kind] ?? {};
    const found: string[] = [];
    if (count !== baseCount) found.push(`${count} processes of ${kind}, ${baseCount} before`);
    if (rssMb > baseMb + (allowedMb[kind] ?? 0)) {
      found.push(`${kind} has ${rssMb} MB, ${baseMb} MB before, ${allowedMb[kind]} MB are allowed`);
    }
    if (files > baseFiles + allowedFiles) {
      found.push(`${kind} has ${files} files open, ${baseFiles} before`);
    }
    return found;
  });
}
