import { groupCpus } from './cpu-topology.ts';
import type { CpuTopology } from './cpu-topology.ts';
import type { CpuSet } from './cpu-set.ts';
import { takeCpus } from './take-cpus.ts';
import type { TakeOptions } from './take-cpus.ts';

/** Free processors of each NUMA node that has some, by its id. */
type FreeOfNodes = ReadonlyMap<number, number>;

interface Spread {
  readonly nodes: readonly number[];
  /** What each of the nodes gives. */
  readonly share: number;
  /** Nodes that give a group more, in turn, until all is given. */
  readonly rest: readonly number[];
  /** How uneven what is left on the machine is. */
  readonly unevenness: number;
}

/**
 * Chooses processors like takeCpus, but as many of each NUMA node where one is not enough: of the
 * fewest nodes that can give equal shares, those that leave the machine most even. Shares are whole
 * groups of `groupSize` (the threads of a core). Same as upstream's distribute-cpus-across-numa.
 */
export function spreadCpus(options: TakeOptions & { readonly groupSize: number }): Set<number> {
  const { topology, available, count, groupSize } = options;
  if (count === 0 || count > available.size || count % groupSize !== 0) return takeCpus(options);
  const free: FreeOfNodes = new Map(
    groupCpus(topology, 'numaNode', available)
      .map(([node, cpus]): [number, number] => [node, cpus.length])
      .sort(([, a], [, b]) => a - b),
  );
  const [fewest, most] = nodeRange(topology, { count, groupSize, withFree: free.size });
  for (let size = fewest; size <= most; size++) {
    let best: Spread | undefined;
    for (const nodes of combinations([...free.keys()], size)) {
      const spread = spreadOver(nodes, free, { count, groupSize });
      if (spread === undefined || spread.unevenness >= (best?.unevenness ?? Infinity)) continue;
      best = spread;
      if (best.unevenness === 0) break;
    }
    if (best !== undefined) return takeSpread(best, options);
  }
  return takeCpus(options);
}

function nodeRange(
  { places }: CpuTopology,
  { count, groupSize, withFree }: { count: number; groupSize: number; withFree: number },
): [fewest: number, most: number] {
  const nodeCount = new Set([...places.values()].map(({ numaNode }) => numaNode)).size;
  const groupsOfNode = Math.ceil(Math.ceil(places.size / groupSize) / nodeCount);
  const groups = Math.ceil(count / groupSize);
  return [Math.ceil(groups / groupsOfNode), Math.min(groups, withFree)];
}

/** Undefined when these nodes cannot give equal shares. */
function spreadOver(
  nodes: readonly number[],
  free: FreeOfNodes,
  { count, groupSize }: { count: number; groupSize: number },
): Spread | undefined {
  const freeOf = (node: number): number => free.get(node) ?? 0;
  const groups = nodes.reduce((sum, node) => sum + Math.floor(freeOf(node) / groupSize), 0);
  if (groups * groupSize < count) return undefined;
  const share = Math.floor(count / nodes.length / groupSize) * groupSize;
  if (nodes.some((node) => freeOf(node) < share)) return undefined;
  const left = new Map(free);
  for (const node of nodes) left.set(node, freeOf(node) - share);
  const remainder = count - share * nodes.length;
  if (remainder === 0) return { nodes, share, rest: [], unevenness: deviation(left) };
  const able = nodes.filter((node) => (left.get(node) ?? 0) >= groupSize);
  let best: Spread | undefined;
  for (let size = able.length; size >= 1; size--) {
    for (const rest of combinations(able, size)) {
      const after = withoutRest(left, rest, { remainder, groupSize });
      if (after === undefined) continue;
      const unevenness = deviation(after);
      if (unevenness < (best?.unevenness ?? Infinity)) best = { nodes, share, rest, unevenness };
    }
  }
  return best;
}

/** What is left when the nodes give the remainder in turn; undefined when they have too little. */
function withoutRest(
  left: FreeOfNodes,
  rest: readonly number[],
  { remainder, groupSize }: { remainder: number; groupSize: number },
): FreeOfNodes | undefined {
  const after = new Map(left);
  let missing = remainder;
  while (missing > 0) {
    const before = missing;
    for (const node of rest) {
      const own = after.get(node) ?? 0;
      if (missing === 0 || own < groupSize) continue;
      after.set(node, own - groupSize);
      missing -= groupSize;
    }
    if (missing === before) return undefined;
  }
  return after;
}

function takeSpread(
  { nodes, share, rest }: Spread,
  options: TakeOptions & { readonly groupSize: number },
): Set<number> {
  const { topology, available, count, groupSize } = options;
  const taken = new Set<number>();
  const takeFrom = (node: number, amount: number): void => {
    const free: CpuSet = new Set(
      [...available].filter(
        (cpu) => !taken.has(cpu) && topology.places.get(cpu)?.numaNode === node,
      ),
    );
    if (free.size < amount) return;
    for (const cpu of takeCpus({ ...options, available: free, count: amount, isByCache: false })) {
      taken.add(cpu);
    }
  };
  for (const node of nodes) takeFrom(node, share);
  while (taken.size < count) {
    const before = taken.size;
    for (const node of rest) if (taken.size < count) takeFrom(node, groupSize);
    if (taken.size === before) return takeCpus(options);
  }
  return taken;
}

/** Standard deviation, to three digits: smaller differences are none. */
function deviation(numbers: FreeOfNodes): number {
  const values = [...numbers.values()];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.round(Math.sqrt(squares / values.length) * 1000) / 1000;
}

function* combinations(items: readonly number[], size: number, from = 0): Generator<number[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let index = from; index <= items.length - size; index++) {
    for (const rest of combinations(items, size - 1, index + 1)) {
      yield [items[index] as number, ...rest];
    }
  }
}
