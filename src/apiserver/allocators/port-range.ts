import type { Random } from '#base/random.ts';

import { AllocationError } from './allocation-error.ts';
import { NumberPool } from './number-pool.ts';
import { decodeRangeAllocation, encodeRangeAllocation } from './range-allocation.ts';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** --service-node-port-range, both ends included, as upstream writes it. */
export function portRangeText({ from, to }: PortRange): string {
  return `${from}-${to}`;
}

/** One state of the node ports; changed in memory, then stored as a whole. */
export class PortSet {
  readonly #range: PortRange;
  readonly #pool: NumberPool;

  constructor(options: { range: PortRange; random: Random; taken?: Iterable<number> }) {
    const { range, random, taken = [] } = options;
    const size = range.to - range.from + 1;
    this.#range = range;
    this.#pool = new NumberPool({ size, staticSize: portBand(size), random });
    for (const port of taken) this.#pool.take(port - range.from);
  }

  /** The stored set; undefined when it was stored for another range. */
  static parse(bytes: Buffer, range: PortRange, random: Random): PortSet | undefined {
    const stored = decodeRangeAllocation(bytes);
    if (stored.range !== portRangeText(range)) return undefined;
    const taken = stored.taken.map((offset) => range.from + offset);
    return new PortSet({ range, random, taken: taken.filter((port) => port <= range.to) });
  }

  encode(): Buffer {
    const taken = this.ports().map((port) => port - this.#range.from);
    return encodeRangeAllocation({ range: portRangeText(this.#range), taken });
  }

  has(port: number): boolean {
    return this.#pool.has(port - this.#range.from);
  }

  /** Ports that are taken, in no order. */
  ports(): number[] {
    return this.#pool.taken().map((offset) => this.#range.from + offset);
  }

  get takenCount(): number {
    return this.#pool.takenCount;
  }

  get freeCount(): number {
    return this.#pool.size - this.#pool.takenCount;
  }

  /** Throws AllocationError when it is taken or out of range. */
  take(port: number): void {
    const { from, to } = this.#range;
    if (port < from || port > to) {
      throw new AllocationError(
        'NotInRange',
        `provided port is not in the valid range. The range of valid ports is ${from}-${to}`,
      );
    }
    if (!this.#pool.take(port - from)) {
      throw new AllocationError('Allocated', 'provided port is already allocated');
    }
  }

  /** A free port by chance, of the lower band only when nothing else is left. */
  takeAny(): number {
    const offset = this.#pool.takeAny();
    if (offset === undefined) throw new AllocationError('Full', 'range is full');
    return this.#range.from + offset;
  }

  /** A port out of range is nobody's and ignored. */
  release(port: number): void {
    const { from, to } = this.#range;
    if (port >= from && port <= to) this.#pool.release(port - from);
  }
}

/** `min(max(16, size/32), 128)`, and none in small ranges. */
function portBand(size: number): number {
  if (size <= 16) return 0;
  return Math.min(Math.max(16, Math.floor(size / 32)), 128);
}
