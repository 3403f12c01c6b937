import { K3tsError } from '#base/errors.ts';
import { cpusPer, groupCpus } from './cpu-topology.ts';
import type { CpuGroup, CpuTopology } from './cpu-topology.ts';
import type { CpuSet } from './cpu-set.ts';

export interface TakeOptions {
  readonly topology: CpuTopology;
  readonly available: CpuSet;
  readonly count: number;
  /** Keeps the processors of a container on few last-level caches where that is possible. */
  readonly isByCache?: boolean | undefined;
  /** Single threads in the order of their numbers: on many cores, not on few. */
  readonly isSpreadOverCores?: boolean | undefined;
}

/**
 * Chooses processors as upstream's static policy does: whole sockets or NUMA nodes first, then
 * whole cores where the fewest are left, then single threads beside those taken. Pure; throws
 * upstream's text when there are too few.
 */
export function takeCpus(options: TakeOptions): Set<number> {
  const { topology, available, count } = options;
  if (count > available.size) {
    throw new K3tsError(
      'NotEnoughCpus',
      `not enough cpus available to satisfy request: requested=${count}, available=${available.size}`,
    );
  }
  const taking: Taking = { topology, free: new Set(available), taken: new Set(), count };
  const hasManyNumaNodes = groupCount(topology, 'numaNode') > groupCount(topology, 'socket');
  const [larger, smaller]: CpuGroup[] = hasManyNumaNodes
    ? ['socket', 'numaNode']
    : ['numaNode', 'socket'];
  takeWhole(taking, larger as CpuGroup);
  takeWhole(taking, smaller as CpuGroup);
  if (options.isByCache === true) takeByCache(taking);
  if (options.isSpreadOverCores === true) {
    takeInOrder(taking);
  } else {
    takeWholeCores(taking);
    takeThreads(taking);
  }
  return taking.taken;
}

interface Taking {
  readonly topology: CpuTopology;
  readonly free: Set<number>;
  readonly taken: Set<number>;
  readonly count: number;
}

const needed = ({ count, taken }: Taking): number => count - taken.size;

function take({ free, taken }: Taking, cpus: readonly number[]): void {
  for (const cpu of cpus) {
    free.delete(cpu);
    taken.add(cpu);
  }
}

function groupCount({ places }: CpuTopology, group: CpuGroup): number {
  return new Set([...places.values()].map((place) => place[group])).size;
}

function takeWhole(taking: Taking, group: CpuGroup): void {
  const size = cpusPer(taking.topology, group);
  for (const [, cpus] of groupCpus(taking.topology, group, taking.free)) {
    if (needed(taking) >= size && cpus.length === size) take(taking, cpus);
  }
}

/** Whole caches, then the rest from the first one that has room for all of it. */
function takeByCache(taking: Taking): void {
  takeWhole(taking, 'cache');
  if (needed(taking) === 0) return;
  const groups = groupCpus(taking.topology, 'cache', taking.free)
    .filter(([, cpus]) => cpus.length >= needed(taking))
    .sort(([, a], [, b]) => a.length - b.length);
  const [, room] = groups[0] ?? [];
  if (room === undefined) return;
  const inside: Taking = { ...taking, free: new Set(room) };
  takeWholeCores(inside);
  takeThreads(inside);
  for (const cpu of inside.taken) taking.free.delete(cpu);
}

/** From sockets with the fewest whole cores, so that the others stay whole. */
function takeWholeCores(taking: Taking): void {
  const { topology, free } = taking;
  const size = cpusPer(topology, 'core');
  const sockets = groupCpus(topology, 'socket', free)
    .map(([, cpus]) =>
      groupCpus(topology, 'core', new Set(cpus)).filter(([, threads]) => threads.length === size),
    )
    .sort((a, b) => a.length - b.length);
  for (const [, threads] of sockets.flat()) {
    if (needed(taking) >= size) take(taking, threads);
  }
}

/** Beside those taken, then where the least is left on the socket and on the core. */
function takeThreads(taking: Taking): void {
  const { topology, free, taken } = taking;
  const onSocket = (among: CpuSet, socket: number): number =>
    [...among].filter((cpu) => topology.places.get(cpu)?.socket === socket).length;
  const cores = groupCpus(topology, 'core', free).map(([core, cpus]) => {
    const socket = topology.places.get(cpus[0] ?? 0)?.socket ?? 0;
    return { core, cpus, socket, near: onSocket(taken, socket), left: onSocket(free, socket) };
  });
  cores.sort(
    (a, b) =>
      b.near - a.near ||
      a.left - b.left ||
      a.cpus.length - b.cpus.length ||
      a.socket - b.socket ||
      a.core - b.core,
  );
  for (const cpu of cores.flatMap(({ cpus }) => cpus)) {
    if (needed(taking) === 0) return;
    take(taking, [cpu]);
  }
}

/** Socket by socket, that with the least left first; threads of a core have numbers far apart. */
function takeInOrder(taking: Taking): void {
  const sockets = groupCpus(taking.topology, 'socket', taking.free).sort(
    ([, a], [, b]) => a.length - b.length,
  );
  for (const cpu of sockets.flatMap(([, cpus]) => cpus.sort((a, b) => a - b))) {
    if (needed(taking) > 0) take(taking, [cpu]);
  }
}
