import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resources } from '#client/mod.ts';
import type { APIService } from '#schema/types.ts';
import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { checkService, localAvailability, withAvailability } from './availability.ts';

const apiService: APIService = {
  metadata: { name: 'v1.acme.com' },
  spec: {
    group: 'acme.com',
    version: 'v1',
    groupPriorityMinimum: 1,
    versionPriority: 1,
    service: { name: 's', namespace: 'ns', port: 443 },
  },
};

function reader(objects: { service?: object; slices?: object[] }): FakeObjectReader {
  const found = new FakeObjectReader();
  const metadata = { name: 's', namespace: 'ns' };
  if (objects.service !== undefined) {
    found.put(resources.services, { metadata, spec: objects.service } as never);
  }
  for (const [index, slice] of (objects.slices ?? []).entries()) {
    found.put(resources.endpointSlices, {
      metadata: {
        name: `s-${index}`,
        namespace: 'ns',
        labels: { 'kubernetes.io/service-name': 's' },
      },
      ...slice,
    });
  }
  return found;
}

const service = { ports: [{ name: 'https', port: 443 }] };
const ports = [{ name: 'https', port: 8443 }];

describe('availability of an APIService by its Service', () => {
  const cases: [string, Parameters<typeof reader>[0], string | undefined][] = [
    ['no Service', {}, 'ServiceNotFound: service/s in "ns" is not present'],
    [
      'another port',
      { service: { ports: [{ port: 80 }] } },
      'ServicePortError: service/s in "ns" is not listening on port 443',
    ],
    [
      'no slices',
      { service },
      'EndpointsNotFound: cannot find endpointslices for service/s in "ns"',
    ],
    [
      'nothing ready',
      {
        service,
        slices: [
          { ports, endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: false } }] },
        ],
      },
      'MissingEndpoints: endpointslices for service/s in "ns" have no addresses with port name "https"',
    ],
    [
      'another port name',
      { service, slices: [{ ports: [{ port: 1 }], endpoints: [{ addresses: ['192.0.2.1'] }] }] },
      'MissingEndpoints: endpointslices for service/s in "ns" have no addresses with port name "https"',
    ],
    [
      'an endpoint',
      { service, slices: [{ ports, endpoints: [{ addresses: ['192.0.2.1'] }] }] },
      undefined,
    ],
    ['an outside name', { service: { type: 'ExternalName', externalName: 'x' } }, undefined],
  ];
  for (const [name, objects, wanted] of cases) {
    it(name, () => {
      const found = checkService(reader(objects), apiService);
      assert.equal(found && `${found.reason}: ${found.message}`, wanted);
    });
  }

  it('keeps the time of the last transition while the status stays', () => {
    const condition = {
      type: 'Available',
      status: 'True',
      reason: 'Passed',
      message: 'm',
      lastTransitionTime: 't1',
    };
    const stored = { ...apiService, status: { conditions: [condition] } };
    assert.equal(withAvailability(stored, localAvailability, 't2')?.[0]?.lastTransitionTime, 't1');
    const gone = withAvailability(stored, { status: 'False', reason: 'r', message: 'm' }, 't2');
    assert.equal(gone?.[0]?.lastTransitionTime, 't2');
    assert.equal(
      withAvailability(stored, { status: 'True', reason: 'Passed', message: 'm' }, 't2'),
      undefined,
    );
  });
});
