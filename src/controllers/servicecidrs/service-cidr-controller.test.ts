import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { IPAddress, ServiceCIDR } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startServiceCidrController } from './service-cidr-controller.ts';

function range(name: string, cidr: string): ServiceCIDR {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name },
    spec: { cidrs: [cidr] },
  };
}

function address(ip: string): IPAddress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: ip, labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
    spec: { parentRef: { resource: 'services', name: 's', namespace: 'shop' } },
  };
}

const live = (harness: Harness): ServiceCIDR | undefined =>
  harness.client.stored<ServiceCIDR>(resources.serviceCidrs, 'extra');
const ready = (harness: Harness): (string | undefined)[] => {
  const condition = live(harness)?.status?.conditions?.find(({ type }) => type === 'Ready');
  return [condition?.status, condition?.reason];
};

test('a range is ready, and goes ten seconds after its deletion', async () => {
  const harness = createHarness([startServiceCidrController], {
    objects: [range('extra', '10.44.0.0/24')],
  });
  await harness.run(100);
  assert.deepEqual(live(harness)?.metadata.finalizers, [
    'networking.k8s.io/service-cidr-finalizer',
  ]);
  assert.deepEqual(ready(harness), ['True', '']);
  await harness.client.delete(resources.serviceCidrs, 'extra');
  await harness.run(8000);
  assert.ok(live(harness) !== undefined);
  await harness.run(3000);
  assert.equal(live(harness), undefined);
  await harness.stop();
});

for (const [what, release] of [
  [
    'the address is free',
    (harness: Harness) => harness.client.remove(resources.ipAddresses, '10.44.0.9'),
  ],
  ['another range has it', (harness: Harness) => harness.client.add(range('wide', '10.44.0.0/16'))],
] as const) {
  test(`a range with an address in use stays until ${what}`, async () => {
    const harness = createHarness([startServiceCidrController], {
      objects: [range('extra', '10.44.0.0/24'), address('10.44.0.9')],
    });
    await harness.run(100);
    await harness.client.delete(resources.serviceCidrs, 'extra');
    await harness.run(20_000);
    assert.deepEqual(ready(harness), ['False', 'Terminating']);
    release(harness);
    await harness.run(1000);
    assert.equal(live(harness), undefined);
    await harness.stop();
  });
}

test('an address that somebody made by hand holds no range', async () => {
  const own = address('10.44.0.9');
  own.metadata.labels = {};
  const harness = createHarness([startServiceCidrController], {
    objects: [range('extra', '10.44.0.0/24'), own],
  });
  await harness.run(100);
  await harness.client.delete(resources.serviceCidrs, 'extra');
  await harness.run(20_000);
  assert.equal(live(harness), undefined);
  await harness.stop();
});
