import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatCidr } from '#base/cidr.ts';
import { resources } from '#client/mod.ts';
import type { ServiceCIDR } from '#schema/types.ts';

import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { createServiceRanges } from './service-ranges.ts';

function range(name: string, cidrs: string[], more: Partial<ServiceCIDR> = {}): ServiceCIDR {
  return { metadata: { name, ...more.metadata }, spec: { cidrs }, ...(more.status && more) };
}

const notReady = {
  status: {
    conditions: [
      { type: 'Ready', status: 'False', reason: '', message: '', lastTransitionTime: '' },
    ],
  },
} as Partial<ServiceCIDR>;

test('ranges that are ready give out addresses, those without a word too', () => {
  const reader = new FakeObjectReader();
  const ranges = createServiceRanges(reader);
  const ready = (family: 4 | 6): string[] =>
    ranges.ready(family).map(({ cidr }) => formatCidr(cidr));
  assert.deepEqual(ready(4), []);
  reader.put(
    resources.serviceCidrs,
    range('kubernetes', ['10.43.0.0/16', 'fd00::/112']),
    range('waiting', ['10.44.0.0/16'], notReady),
  );
  assert.deepEqual([ready(4), ready(6)], [['10.43.0.0/16'], ['fd00::/112']]);
  reader.put(resources.serviceCidrs, range('waiting', ['10.44.0.0/16']));
  assert.deepEqual(ready(4), ['10.43.0.0/16', '10.44.0.0/16']);
});

test('a range of several is ready while one of them is', () => {
  const reader = new FakeObjectReader();
  const ranges = createServiceRanges(reader);
  const going = range('going', ['10.45.0.0/16']);
  going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  reader.put(resources.serviceCidrs, going);
  assert.equal(ranges.ready(4).length, 0);
  reader.put(resources.serviceCidrs, range('same', ['10.45.0.0/16']));
  assert.equal(ranges.ready(4).length, 1);
  reader.remove(resources.serviceCidrs, '', 'same');
  assert.equal(ranges.ready(4).length, 0);
  ranges.close();
});
