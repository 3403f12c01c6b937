import type { Random } from '#base/random.ts';

import { AllocationError } from './allocation-error.ts';
import { NumberPool } from './number-pool.ts';

/** Gives out node ports. Methods as those of IpAllocator. */
export interface PortAllocator {
  readonly takenCount: number;
  take(port: number): void;
  takeAny(): number;
  release(port: number): void;
}

/** --service-node-port-range, both ends included; a lower band is left to services that ask. */
export function createPortAllocator(options: {
  range: { from: number; to: number };
  random: Random;
}): PortAllocator {
  const { from, to } = options.range;
  const size = to - from + 1;
  const pool = new NumberPool({ size, staticSize: portBand(size), random: options.random });
  return {
    get takenCount() {
      return pool.takenCount;
    },
    take(port) {
      if (port < from || port > to) {
        throw new AllocationError(
          'NotInRange',
          `provided port is not in the valid range. The range of valid ports is ${from}-${to}`,
        );
      }
      if (!pool.take(port - from)) {
        throw new AllocationError('Allocated', 'provided port is already allocated');
      }
    },
    takeAny() {
      const offset = pool.takeAny();
      if (offset === undefined) throw new AllocationError('Full', 'range is full');
      return from + offset;
    },
    release(port) {
      if (port >= from && port <= to) pool.release(port - from);
    },
  };
}

/** `min(max(16, size/32), 128)`, and none in small ranges. */
function portBand(size: number): number {
  if (size <= 16) return 0;
  return Math.min(Math.max(16, Math.floor(size / 32)), 128);
}
