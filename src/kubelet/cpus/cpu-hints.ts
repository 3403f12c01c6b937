import { countedHints } from '../topology/mod.ts';
import type { NumaMask, NumaNodes, TopologyHint } from '../topology/mod.ts';
import { noCpus } from './cpu-set.ts';
import type { CpuSet } from './cpu-set.ts';
import type { CpuTopology } from './cpu-topology.ts';

interface Places {
  readonly topology: CpuTopology;
  readonly nodes: NumaNodes;
  /** NUMA nodes of one socket count as one place. */
  readonly isBySocket: boolean;
}

/** Finds the NUMA nodes that a number of processors could come from. */
export function createCpuHints({
  topology: { places },
  nodes,
  isBySocket,
}: Places): (wish: { free: CpuSet; reusable: CpuSet; count: number }) => TopologyHint[] {
  const nodeOf = (cpu: number): NumaMask => nodes.maskOf([places.get(cpu)?.numaNode ?? 0]);
  const all = [...places.keys()].map(nodeOf);
  const nodesOfSocket = Math.floor(nodes.ids.length / socketsOn([...places.keys()]));
  function socketsOn(cpus: readonly number[]): number {
    return new Set(cpus.map((cpu) => places.get(cpu)?.socket)).size || 1;
  }
  /** On as few sockets as that many nodes can be. */
  const isOnSockets = (mask: NumaMask, fewest: number): boolean => {
    const inside = [...places.keys()].filter((cpu) => (nodeOf(cpu) & mask) !== 0);
    return nodesOfSocket > 0 && socketsOn(inside) === Math.ceil(fewest / nodesOfSocket);
  };
  return ({ free, reusable, count }) =>
    countedHints({
      nodes,
      request: count,
      all,
      free: [...free.difference(reusable)].map(nodeOf),
      reusable: [...reusable].map(nodeOf),
      isPreferred: isBySocket ? isOnSockets : undefined,
    });
}

/** The processors of the nodes of a mask, or of the sockets that they are on. */
export function cpusNear(
  settings: Pick<Places, 'topology' | 'nodes'> & { options: { isBySocket: boolean } },
  mask: NumaMask,
): CpuSet {
  const { topology, nodes, options } = settings;
  const ids = new Set(nodes.idsIn(mask));
  const places = [...topology.places];
  const inside = places.filter(([, { numaNode }]) => ids.has(numaNode));
  if (!options.isBySocket) return new Set(inside.map(([cpu]) => cpu));
  const sockets = new Set(inside.map(([, { socket }]) => socket));
  const near = places.filter(([, { socket }]) => sockets.has(socket));
  return near.length === 0 ? noCpus : new Set(near.map(([cpu]) => cpu));
}
