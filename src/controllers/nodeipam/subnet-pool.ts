import { formatCidr, nthSubnet, tryParseCidr } from '#base/cidr.ts';
import type { Cidr } from '#base/cidr.ts';

/** Subnets of equal size in one range, handed out lowest first. */
export interface SubnetPool {
  readonly family: 4 | 6;
  /** Takes the next free one after the last taken; undefined when the range is used up. */
  take(): string | undefined;
  /** Marks one as used; false when it is not of this pool. */
  occupy(subnet: string): boolean;
  release(subnet: string): void;
}

/** Not more subnets than this are looked at, as upstream's largest set. */
const maxSubnets = 2 ** 16;

export function createSubnetPool(range: Cidr, prefixLength: number): SubnetPool {
  const total = Math.min(2 ** (prefixLength - range.prefixLength), maxSubnets);
  const used = new Set<number>();
  let next = 0;

  const indexOf = (subnet: string): number | undefined => {
    const cidr = tryParseCidr(subnet);
    if (cidr?.family !== range.family || cidr.prefixLength !== prefixLength) return undefined;
    const width = range.family === 4 ? 32 : 128;
    const index = (cidr.network - range.network) >> BigInt(width - prefixLength);
    return index >= 0n && index < BigInt(total) ? Number(index) : undefined;
  };

  return {
    family: range.family,
    take() {
      for (let tried = 0; tried < total; tried++) {
        const index = (next + tried) % total;
        if (used.has(index)) continue;
        used.add(index);
        next = (index + 1) % total;
        return formatCidr(nthSubnet(range, prefixLength, index));
      }
      return undefined;
    },
    occupy(subnet) {
      const index = indexOf(subnet);
      if (index === undefined) return false;
      used.add(index);
      return true;
    },
    release(subnet) {
      const index = indexOf(subnet);
      if (index !== undefined) used.delete(index);
    },
  };
}
