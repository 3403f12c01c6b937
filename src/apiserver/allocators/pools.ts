import { tryParseIp } from '#base/cidr.ts';

import type { IpAllocator } from './ip-allocator.ts';
import type { PortAllocator } from './port-allocator.ts';
import type { Family } from './service-families.ts';

/** What a server knows to be taken: by stored services, and by writes under way. */
export interface Pools {
  readonly addresses: ReadonlyMap<Family, IpAllocator>;
  readonly ports: PortAllocator;
}

/** The pool that an address belongs to by its family. */
export function poolOf(pools: Pools, address: string): IpAllocator | undefined {
  return pools.addresses.get(tryParseIp(address)?.family === 6 ? 'IPv6' : 'IPv4');
}
