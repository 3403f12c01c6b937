import { messageOf } from '#base/errors.ts';
import type { Service } from '#schema/types.ts';

import { internalError, invalid } from '../api-errors.ts';
import type { AddressAllocator } from './address-allocator.ts';
import { serviceNameOf } from './ip-address-object.ts';
import type { Reservation } from './reservation.ts';
import { isHeadless, isUnchangedPreferDual } from './service-families.ts';
import type { Family } from './service-families.ts';

const kind = { group: '', kind: 'Service' };

/** What the addresses of one write are taken with. */
export interface AddressOperation {
  readonly allocator: AddressAllocator;
  readonly reservation: Reservation;
  readonly dryRun: boolean;
}

/**
 * Gives a service an address of each of its families; those of the old service stay: a change adds
 * the second one at most. What is taken goes into the reservation.
 */
export async function allocateAddresses(
  operation: AddressOperation,
  service: Service,
  old: Service | undefined,
): Promise<void> {
  const spec = (service.spec ??= {});
  if (spec.type === 'ExternalName') return;
  const oldSpec = old?.spec;
  const isAssigned = oldSpec !== undefined && oldSpec.type !== 'ExternalName';
  if (isUnchangedPreferDual(spec, oldSpec) || isHeadless(isAssigned ? oldSpec : spec)) return;
  const families = spec.ipFamilies ?? [];
  const given = [...(spec.clusterIPs ?? [])];
  if (!isAssigned) {
    spec.clusterIPs = await allocateEach(operation, service, families, given);
    if (spec.clusterIPs[0] !== undefined) spec.clusterIP = spec.clusterIPs[0];
    return;
  }
  if (oldSpec.ipFamilies?.length !== 1 || families.length !== 2) return;
  const [first = '', second = ''] = given;
  const taken = await takeAddress(operation, service, families[1] as Family, second);
  spec.clusterIPs = [first, taken];
}

async function allocateEach(
  operation: AddressOperation,
  service: Service,
  families: readonly string[],
  given: readonly string[],
): Promise<string[]> {
  const addresses = [...given];
  for (const [index, family] of families.entries()) {
    const wanted = given[index] ?? '';
    addresses[index] = await takeAddress(operation, service, family as Family, wanted);
  }
  return addresses;
}

async function takeAddress(
  operation: AddressOperation,
  service: Service,
  family: Family,
  address: string,
): Promise<string> {
  const { allocator, reservation, dryRun } = operation;
  const owner = serviceNameOf(service);
  try {
    if (dryRun) return allocator.tryOut(family, address);
    let taken = address;
    if (address === '') taken = await allocator.takeAny(family, owner);
    else await allocator.take(address, owner);
    reservation.onGiveUp(() => allocator.release(taken, owner));
    return taken;
  } catch (error) {
    const why = messageOf(error);
    // what has no name is refused only after this
    const name = service.metadata.name ?? '';
    if (address === '') {
      throw internalError(
        `failed to allocate a serviceIP for Service ${JSON.stringify(name)}: ${why}`,
        error,
      );
    }
    const given = JSON.stringify(service.spec?.clusterIPs ?? [address]);
    const message = `Invalid value: ${given}: failed to allocate IP ${address}: ${why}`;
    const found = { type: 'FieldValueInvalid', field: 'spec.clusterIPs', message } as const;
    throw invalid(kind, name, [found]);
  }
}

/** Cluster IPs that a service holds. */
export function addressesOf(service: Service | undefined): string[] {
  const spec = service?.spec;
  if (spec === undefined || spec.type === 'ExternalName' || isHeadless(spec)) return [];
  return spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
}
