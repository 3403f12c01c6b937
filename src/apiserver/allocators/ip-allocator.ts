import { cidrContains, cidrSize, formatIp, nthAddress, parseCidr, tryParseIp } from '#base/cidr.ts';
import type { Cidr } from '#base/cidr.ts';
import type { Random } from '#base/random.ts';

import { AllocationError } from './allocation-error.ts';
import { NumberPool } from './number-pool.ts';

/** Widest range that is used of an IPv6 network; more addresses than any cluster has services. */
const maxAddresses = 2 ** 32;

/** Gives out the addresses of one service range. */
export interface IpAllocator {
  readonly cidr: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly takenCount: number;
  /** Takes this address; throws AllocationError when it is taken or out of range. */
  take(address: string): void;
  /** Takes any free address; throws AllocationError when there is none. */
  takeAny(): string;
  /** Gives an address back; one that is out of range is nobody's and ignored. */
  release(address: string): void;
}

/**
 * The network address is never given out, nor the broadcast address of IPv4. The lower band of
 * `min(max(16, size/16), 256)` addresses is left to services that ask for one, same as upstream.
 */
export function createIpAllocator(options: { cidr: string; random: Random }): IpAllocator {
  const cidr = parseCidr(options.cidr);
  const width = cidrSize(cidr);
  const capped = width > BigInt(maxAddresses) ? maxAddresses : Number(width);
  const size = Math.max(0, capped - (cidr.family === 4 ? 2 : 1));
  const pool = new NumberPool({ size, staticSize: staticBand(size), random: options.random });
  return {
    cidr: options.cidr,
    family: cidr.family === 4 ? 'IPv4' : 'IPv6',
    get takenCount() {
      return pool.takenCount;
    },
    take(address) {
      const offset = offsetOf(cidr, size, address);
      if (offset === undefined) {
        throw new AllocationError(
          'NotInRange',
          `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${options.cidr}`,
        );
      }
      if (!pool.take(offset)) {
        throw new AllocationError('Allocated', 'provided IP is already allocated');
      }
    },
    takeAny() {
      const offset = pool.takeAny();
      if (offset === undefined) throw new AllocationError('Full', 'range is full');
      return formatIp(nthAddress(cidr, offset + 1));
    },
    release(address) {
      const offset = offsetOf(cidr, size, address);
      if (offset !== undefined) pool.release(offset);
    },
  };
}

/** Size of the band that is given out by chance only when nothing else is left. */
export function staticBand(size: number): number {
  if (size <= 16) return 0;
  return Math.min(Math.max(16, Math.floor(size / 16)), 256);
}

/** 0 for the first usable address; undefined when the address is not usable. */
function offsetOf(cidr: Cidr, size: number, text: string): number | undefined {
  const address = tryParseIp(text);
  if (address === undefined || !cidrContains(cidr, address)) return undefined;
  const offset = address.value - cidr.network - 1n;
  return offset >= 0n && offset < BigInt(size) ? Number(offset) : undefined;
}
