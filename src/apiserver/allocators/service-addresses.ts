import type { Service } from '#schema/types.ts';

import { internalError, invalid } from '../api-errors.ts';
import { AllocationError } from './allocation-error.ts';
import type { IpAllocator } from './ip-allocator.ts';
import type { Pools } from './pools.ts';
import type { Reservation } from './reservation.ts';
import { isHeadless, isUnchangedPreferDual } from './service-families.ts';
import type { Family } from './service-families.ts';

const kind = { group: '', kind: 'Service' };

/**
 * Gives a service an address of each of its families; addresses that the old service holds stay.
 * What is taken goes into the reservation.
 */
export function allocateAddresses(
  pools: Pools,
  service: Service,
  old: Service | undefined,
  reservation: Reservation,
): void {
  const spec = (service.spec ??= {});
  if (spec.type === 'ExternalName') {
    if (old !== undefined && old.spec?.type !== 'ExternalName') dropAddresses(service, old);
    return;
  }
  if (isHeadless(spec) || isUnchangedPreferDual(spec, old?.spec)) return;
  const held = new Set(addressesOf(old));
  const given = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  const addresses = (spec.ipFamilies ?? []).map((family, index) => {
    const address = given[index] ?? '';
    if (address !== '' && held.has(address)) return address;
    const allocator = pools.addresses.get(family as Family);
    if (allocator === undefined) return address;
    const taken = takeAddress(service, allocator, address);
    reservation.onGiveUp(() => allocator.release(taken));
    return taken;
  });
  spec.clusterIPs = addresses;
  if (addresses[0] !== undefined) spec.clusterIP = addresses[0];
}

/** A service that becomes ExternalName has no address; what an old client sent back is dropped. */
function dropAddresses(service: Service, old: Service): void {
  const { spec } = service;
  if (spec === undefined) return;
  if (spec.clusterIP === old.spec?.clusterIP) delete spec.clusterIP;
  if (spec.clusterIPs?.join() === old.spec?.clusterIPs?.join()) delete spec.clusterIPs;
  if (spec.ipFamilies?.join() === old.spec?.ipFamilies?.join()) delete spec.ipFamilies;
  if (spec.ipFamilyPolicy === old.spec?.ipFamilyPolicy) delete spec.ipFamilyPolicy;
}

function takeAddress(service: Service, allocator: IpAllocator, address: string): string {
  const { name } = service.metadata;
  try {
    if (address === '') return allocator.takeAny();
    allocator.take(address);
    return address;
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    if (address === '') {
      throw internalError(
        `failed to allocate a serviceIP for Service ${JSON.stringify(name)}: ${error.message}`,
      );
    }
    const given = JSON.stringify(service.spec?.clusterIPs ?? [address]);
    const message = `Invalid value: ${given}: failed to allocate IP ${address}: ${error.message}`;
    throw invalid(kind, name, [{ type: 'FieldValueInvalid', field: 'spec.clusterIPs', message }]);
  }
}

/** Cluster IPs that a service holds. */
export function addressesOf(service: Service | undefined): string[] {
  const spec = service?.spec;
  if (spec === undefined || spec.type === 'ExternalName' || isHeadless(spec)) return [];
  return spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
}
