import { cidrContains, cidrSize, formatIp, tryParseIp } from '#base/cidr.ts';
import type { Cidr, IpAddress } from '#base/cidr.ts';
import type { Random } from '#base/random.ts';

/** Widest stretch in which chance chooses where to start; no cluster has so many services. */
const widestStart = 2n ** 47n;

/** Which addresses of a service range may be given out. */
export interface IpRange {
  readonly cidr: Cidr;
  /** How many addresses can be given out; exact up to 2^53. */
  readonly size: number;
  has(address: IpAddress): boolean;
  /** The same for a text, which may be no address. */
  hasText(text: string): boolean;
  /**
   * Every address once, the upper band first, then the lower one, each from a place of chance
   * onwards: the lower band is left to services that ask for an address.
   */
  candidates(random: Random): Iterable<string>;
}

/** Leaves out the network address, and the broadcast address of IPv4, same as upstream. */
export function createIpRange(cidr: Cidr): IpRange {
  const width = cidrSize(cidr);
  const first = cidr.network + 1n;
  const last = cidr.network + width - (cidr.family === 4 ? 2n : 1n);
  const count = last < first ? 0n : last - first + 1n;
  const band = staticBand(width);
  const has = (address: IpAddress): boolean =>
    cidrContains(cidr, address) && address.value >= first && address.value <= last;
  return {
    cidr,
    size: Number(count),
    has,
    hasText(text) {
      const address = tryParseIp(text);
      return address !== undefined && has(address);
    },
    *candidates(random) {
      yield* around(cidr, first + band, last, random);
      if (band > 0n) yield* around(cidr, first, first + band - 1n, random);
    },
  };
}

/** Size of the lower band: `min(max(16, size/16), 256)`, none in ranges of 16 and less. */
export function staticBand(width: bigint): bigint {
  if (width <= 16n) return 0n;
  const part = width / 16n;
  if (part < 16n) return 16n;
  return part > 256n ? 256n : part;
}

function* around(cidr: Cidr, from: bigint, to: bigint, random: Random): Iterable<string> {
  const width = to - from + 1n;
  if (width <= 0n) return;
  const start = BigInt(random.integer(Number(width > widestStart ? widestStart : width)));
  for (let step = 0n; step < width; step++) {
    yield formatIp({ family: cidr.family, value: from + ((start + step) % width) });
  }
}
