import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Service } from '#schema/types.ts';

import { forbidden } from '../api-errors.ts';
import type { AddressAllocator } from './address-allocator.ts';
import { Reservation } from './reservation.ts';
import { allocateAddresses } from './service-addresses.ts';

test('an address that somebody forbids is told of as one that cannot be had', async () => {
  const refusal = forbidden({ group: '', resource: 'ipaddresses' }, '10.43.0.1', 'no');
  const allocator: AddressAllocator = {
    take: () => Promise.reject(refusal),
    takeAny: () => Promise.reject(refusal),
    tryOut: (_family, address) => address,
    release: () => Promise.resolve(),
  };
  const allocate = async (spec: object, name: object = { name: 's' }): Promise<void> => {
    const metadata = { namespace: 'ns', ...name } as Service['metadata'];
    const service: Service = { metadata, spec: { ipFamilies: ['IPv4'], ...spec } };
    const operation = { allocator, reservation: new Reservation(), dryRun: false };
    await allocateAddresses(operation, service, undefined);
  };
  await assert.rejects(allocate({}), {
    httpCode: 500,
    message:
      'Internal error occurred: failed to allocate a serviceIP for Service "s": ipaddresses "10.43.0.1" is forbidden: no',
  });
  await assert.rejects(allocate({}, {}), {
    message:
      'Internal error occurred: failed to allocate a serviceIP for Service "": ipaddresses "10.43.0.1" is forbidden: no',
  });
  await assert.rejects(allocate({ clusterIPs: ['10.43.0.1'] }), {
    httpCode: 422,
    message:
      'Service "s" is invalid: spec.clusterIPs: Invalid value: ["10.43.0.1"]: failed to allocate IP 10.43.0.1: ipaddresses "10.43.0.1" is forbidden: no',
  });
});
