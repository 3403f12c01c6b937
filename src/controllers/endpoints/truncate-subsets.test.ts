import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointAddress, EndpointSubset } from '#schema/types.ts';
import { truncateSubsets } from './truncate-subsets.ts';

const some = (count: number): EndpointAddress[] =>
  Array.from({ length: count }, (_, at) => ({ ip: `10.0.${at >> 8}.${at & 255}` }));
const subset = (ready: number, notReady: number): EndpointSubset => ({
  ...(ready === 0 ? {} : { addresses: some(ready) }),
  ...(notReady === 0 ? {} : { notReadyAddresses: some(notReady) }),
  ports: [{ port: 80, protocol: 'TCP' }],
});
const sizes = (subsets: readonly EndpointSubset[] | undefined): [number, number][] | undefined =>
  subsets?.map(({ addresses = [], notReadyAddresses = [] }) => [
    addresses.length,
    notReadyAddresses.length,
  ]);

for (const [name, subsets, expected] of [
  ['a thousand fit', [subset(500, 500)], undefined],
  [
    'unready ones go first',
    [subset(400, 300), subset(400, 300)],
    [
      [400, 100],
      [400, 100],
    ],
  ],
  [
    'of too many ready ones all unready go',
    [subset(900, 50), subset(600, 0)],
    [
      [600, 0],
      [400, 0],
    ],
  ],
  [
    'shares are rounded up while there is room',
    [subset(1000, 0), subset(500, 0), subset(3, 0)],
    [
      [666, 0],
      [333, 0],
      [1, 0],
    ],
  ],
] as const) {
  test(`Endpoints are cut to a thousand addresses: ${name}`, () => {
    assert.deepEqual(sizes(truncateSubsets(subsets)), expected);
  });
}
