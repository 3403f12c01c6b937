import { readdirSync, readFileSync } from 'node:fs';

/** A process by pid: what it used so far. */
export interface ProcessUsage {
  readonly cpuMs: number;
  readonly rssMb: number;
}

/**
 * CPU time of all its threads, with the kernel's nanoseconds where it keeps them, and resident
 * memory. Threads that ended are counted by /proc/<pid>/stat only, which has 10 ms steps.
 */
export function processUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticksMs = (Number(fields[11]) + Number(fields[12])) * 10;
  return { cpuMs: threadsMs(pid) ?? ticksMs, rssMb: (Number(fields[21]) * 4096) / 2 ** 20 };
}

function threadsMs(pid: number): number | undefined {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1');
      sum += Number(text.split(' ')[0]) / 1e6;
    } catch {
      return undefined;
    }
  }
  return sum;
}

/** Processes this one sees, with their command lines. */
export function findProcesses(pattern: RegExp): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => pattern.test(commandLine(pid)))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    // It ended meanwhile.
    return '';
  }
}
