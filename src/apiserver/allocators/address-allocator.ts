import { hasReason } from '#base/api-status-error.ts';
import { formatCidr, tryParseIp } from '#base/cidr.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { IPAddress } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { AllocationError } from './allocation-error.ts';
import type { AllocatorMeter } from './allocator-meter.ts';
import { ipAddressFor, isFor } from './ip-address-object.ts';
import type { ServiceName } from './ip-address-object.ts';
import type { IpRange } from './ip-range.ts';
import type { Family } from './service-families.ts';
import type { ServiceRanges } from './service-ranges.ts';

/** Gives out cluster IPs. An address is taken by creating its IPAddress: one server can. */
export interface AddressAllocator {
  /** Takes this address; throws AllocationError when it is taken or in no range that is ready. */
  take(address: string, service: ServiceName): Promise<void>;
  /** Takes any free address of the family; throws AllocationError when there is none. */
  takeAny(family: Family, service: ServiceName): Promise<string>;
  /** What a dry run is told: takes nothing, and checks only that the address is in a range. */
  tryOut(family: Family, address: string): string;
  /** Gives an address back that this service holds. What fails is left to the repair. */
  release(address: string, service: ServiceName): Promise<void>;
}

export function createAddressAllocator(options: {
  reader: ObjectReader;
  client: Client;
  ranges: ServiceRanges;
  random: Random;
  meter: AllocatorMeter;
  log: Logger;
}): AddressAllocator {
  const { reader, client, ranges, random, meter, log } = options;

  async function create(address: string, service: ServiceName): Promise<void> {
    try {
      await client.create(resources.ipAddresses, ipAddressFor(address, service));
    } catch (error) {
      if (!hasReason(error, 'AlreadyExists')) throw error;
      throw new AllocationError('Allocated', 'provided IP is already allocated');
    }
  }

  /** The next free one; what another server takes at the same time is passed over. */
  async function takeFrom(range: IpRange, service: ServiceName): Promise<string | undefined> {
    for (const address of range.candidates(random)) {
      if (reader.get(resources.ipAddresses, '', address) !== undefined) continue;
      try {
        await create(address, service);
        return address;
      } catch (error) {
        if (!(error instanceof AllocationError)) throw error;
      }
    }
    return undefined;
  }

  return {
    async take(address, service) {
      const parsed = tryParseIp(address);
      const range =
        parsed && ranges.ready(parsed.family).find((candidate) => candidate.has(parsed));
      if (range === undefined) throw mismatched();
      await meter.allocation(formatCidr(range.cidr), 'static', () => create(address, service));
    },
    async takeAny(family, service) {
      for (const range of ranges.ready(family === 'IPv6' ? 6 : 4)) {
        const cidr = formatCidr(range.cidr);
        const taken = await meter.allocation(cidr, 'dynamic', () => takeFrom(range, service));
        if (taken !== undefined) return taken;
      }
      throw new AllocationError('Full', 'range is full');
    },
    tryOut(family, address) {
      const ready = ranges.ready(family === 'IPv6' ? 6 : 4);
      const [first] = ready;
      if (first === undefined) throw new AllocationError('Full', 'range is full');
      const cidr = formatCidr(first.cidr);
      if (address === '') return cidr.slice(0, cidr.indexOf('/'));
      const parsed = tryParseIp(address);
      if (parsed !== undefined && ready.some((range) => range.has(parsed))) return address;
      throw new AllocationError(
        'NotInRange',
        `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${cidr}`,
      );
    },
    async release(address, service) {
      try {
        const known =
          reader.get<IPAddress>(resources.ipAddresses, '', address) ??
          (await client.get<IPAddress>(resources.ipAddresses, address));
        if (!isFor(known, service)) return;
        const { uid } = known.metadata;
        const preconditions = uid === undefined ? {} : { preconditions: { uid } };
        await client.delete(resources.ipAddresses, address, preconditions);
      } catch (error) {
        if (hasReason(error, 'NotFound')) return;
        log.warning('cannot release a cluster IP', { address, error: messageOf(error) });
      }
    },
  };
}

function mismatched(): AllocationError {
  const message = 'the provided network does not match the current range';
  return new AllocationError('MismatchedNetwork', message);
}
