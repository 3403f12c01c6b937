/** A set of NUMA nodes: bit n stands for the nth node of the machine's list, not for its id. */
export type NumaMask = number;

/** More nodes than this cannot be told apart in a mask. */
const maxNodes = 30;

export function countNodes(mask: NumaMask): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}

/** Fewer nodes, or as many with lower numbers. */
export function isNarrower(a: NumaMask, b: NumaMask): boolean {
  const [countA, countB] = [countNodes(a), countNodes(b)];
  return countA === countB ? a < b : countA < countB;
}

/** Every set of `count` nodes: single ones first, then pairs and so on, low numbers first. */
export function allMasks(count: number): NumaMask[] {
  const masks: NumaMask[] = [];
  const extend = (mask: NumaMask, from: number, missing: number): void => {
    if (missing === 0) masks.push(mask);
    else for (let bit = from; bit < count; bit++) extend(mask | (1 << bit), bit + 1, missing - 1);
  };
  for (let size = 1; size <= count; size++) extend(0, 0, size);
  return masks;
}

/** The NUMA nodes of a machine, and masks over them. */
export class NumaNodes {
  readonly ids: readonly number[];
  readonly all: NumaMask;
  /** Every set of them, as `allMasks` orders it; made when first asked for. */
  #masks: readonly NumaMask[] | undefined;
  readonly #bits: ReadonlyMap<number, NumaMask>;
  readonly #distances: ReadonlyMap<number, readonly number[]>;

  /** `distances` by node id: to each node, in the order of their ids. */
  constructor(
    ids: readonly number[],
    distances: ReadonlyMap<number, readonly number[]> = new Map(),
  ) {
    this.ids = ids.toSorted((a, b) => a - b).slice(0, maxNodes);
    this.#bits = new Map(this.ids.map((id, index) => [id, 1 << index]));
    this.all = 2 ** this.ids.length - 1;
    this.#distances = distances;
  }

  get masks(): readonly NumaMask[] {
    this.#masks ??= allMasks(this.ids.length);
    return this.#masks;
  }

  /** Unknown nodes are in no mask. */
  maskOf(ids: Iterable<number>): NumaMask {
    let mask = 0;
    for (const id of ids) mask |= this.#bits.get(id) ?? 0;
    return mask;
  }

  idsIn(mask: NumaMask): number[] {
    return this.ids.filter((_id, index) => (mask & (1 << index)) !== 0);
  }

  /** Mean distance between the nodes of a mask, to themselves included. */
  meanDistance(mask: NumaMask): number {
    const inside = this.idsIn(mask);
    if (inside.length === 0) return 0;
    let sum = 0;
    for (const from of inside) {
      const row = this.#distances.get(from) ?? [];
      for (const to of inside) sum += row[this.ids.indexOf(to)] ?? 0;
    }
    return sum / inside.length ** 2;
  }
}
