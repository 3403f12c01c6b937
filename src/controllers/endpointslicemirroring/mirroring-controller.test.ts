import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Endpoints, EndpointSlice, Service } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startEndpointSliceMirroring } from './mirroring-controller.ts';

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'db', namespace: 'shop' },
  spec: { ports: [{ port: 5432 }] },
};
const endpoints: Endpoints = {
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'db', namespace: 'shop', labels: { app: 'db' }, annotations: { a: 'b' } },
  subsets: [
    {
      addresses: [{ ip: '192.0.2.1', hostname: 'one' }, { ip: '2001:db8::1' }],
      notReadyAddresses: [{ ip: '192.0.2.2' }],
      ports: [{ port: 5432 }],
    },
  ],
};

const slicesOf = (harness: Harness): EndpointSlice[] =>
  harness.client
    .all<EndpointSlice>(resources.endpointSlices)
    .toSorted((a, b) => (a.addressType < b.addressType ? -1 : 1));

test('each family gets a slice with the addresses, and follows them', async () => {
  const harness = createHarness([startEndpointSliceMirroring], { objects: [service, endpoints] });
  await harness.run(100);
  const [four, six] = slicesOf(harness);
  assert.deepEqual(four?.endpoints, [
    { addresses: ['192.0.2.1'], conditions: { ready: true }, hostname: 'one' },
    { addresses: ['192.0.2.2'], conditions: { ready: false } },
  ]);
  assert.deepEqual(four?.ports, [{ name: '', port: 5432, protocol: 'TCP' }]);
  assert.deepEqual(six?.endpoints?.[0]?.addresses, ['2001:db8::1']);
  assert.deepEqual(four?.metadata.labels, {
    app: 'db',
    'kubernetes.io/service-name': 'db',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  });
  assert.deepEqual(four?.metadata.annotations, { a: 'b' });
  assert.equal(four?.metadata.ownerReferences?.[0]?.kind, 'Endpoints');
  harness.client.modify<Endpoints>(resources.endpoints, 'shop/db', (live) => ({
    ...live,
    subsets: [{ addresses: [{ ip: '192.0.2.9' }], ports: [{ port: 5432 }] }],
  }));
  await harness.run(100);
  assert.deepEqual(
    slicesOf(harness).map((slice) => slice.endpoints?.map(({ addresses }) => addresses[0])),
    [['192.0.2.9']],
  );
  harness.client.remove(resources.endpoints, 'shop/db');
  await harness.run(100);
  assert.deepEqual(slicesOf(harness), []);
  await harness.stop();
});

for (const [what, changedService, labels] of [
  ['of a service with a selector', { ...service, spec: { selector: { app: 'db' } } }, {}],
  ['that ask not to be', service, { 'endpointslice.kubernetes.io/skip-mirror': 'true' }],
] as [string, Service, Record<string, string>][]) {
  test(`Endpoints ${what} are not copied`, async () => {
    const copied = { ...endpoints, metadata: { ...endpoints.metadata, labels: { ...labels } } };
    const harness = createHarness([startEndpointSliceMirroring], {
      objects: [changedService, copied],
    });
    await harness.run(100);
    assert.deepEqual(slicesOf(harness), []);
    await harness.stop();
  });
}

test('addresses with the same ports are in one slice, at most 1000 of a subset', async () => {
  const addresses = Array.from({ length: 1200 }, (_, at) => ({
    ip: `10.0.${at >> 8}.${at & 255}`,
  }));
  const many: Endpoints = {
    ...endpoints,
    metadata: {
      name: 'db',
      namespace: 'shop',
      annotations: {
        'endpoints.kubernetes.io/over-capacity': 'truncated',
        'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z',
      },
    },
    subsets: [{ addresses: [{ ip: 'nowhere' }, ...addresses], ports: [{ port: 5432 }] }],
  };
  const harness = createHarness([startEndpointSliceMirroring], { objects: [service, many] });
  await harness.run(100);
  const slices = slicesOf(harness);
  assert.deepEqual(
    slices.map((slice) => slice.endpoints?.length),
    [1000],
  );
  assert.deepEqual(slices[0]?.metadata.annotations, {
    'endpoints.kubernetes.io/over-capacity': 'truncated',
  });
  const told = harness.events().map((line) => line.replace(/ \(x\d+\)$/, ''));
  assert.deepEqual(told, [
    'InvalidIPAddress: Skipped 1 invalid IP addresses when mirroring to EndpointSlices',
    'TooManyAddressesToMirror: A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 201 addresses were skipped',
  ]);
  await harness.stop();
});
