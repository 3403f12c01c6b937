import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, EndpointSlice } from '#schema/types.ts';
import { portsKey } from './desired-endpoints.ts';
import { planSlices } from './slice-plan.ts';

const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];
const key = portsKey(ports);

function endpoint(number: number, isReady = true): Endpoint {
  return {
    addresses: [`10.0.0.${number}`],
    conditions: { ready: isReady },
    targetRef: { uid: `u${number}` },
  };
}

function slice(name: string, ...numbers: number[]): EndpointSlice {
  return {
    metadata: { name },
    addressType: 'IPv4',
    ports,
    endpoints: numbers.map((number) => endpoint(number)),
  };
}

function plan(existing: EndpointSlice[], endpoints: Endpoint[], max = 3) {
  const groups = new Map(endpoints.length === 0 ? [] : [[key, { ports, endpoints }]]);
  const { create, update, remove } = planSlices(existing, groups, max);
  const numbers = (list: readonly Endpoint[] | undefined): string =>
    (list ?? []).map(({ addresses }) => addresses[0]?.split('.')[3]).join();
  return {
    create: create.map(({ endpoints: made }) => numbers(made)),
    update: update.map(({ metadata, endpoints: kept }) => `${metadata.name}: ${numbers(kept)}`),
    remove: remove.map(({ metadata }) => metadata.name),
  };
}

const endpoints = (...numbers: number[]): Endpoint[] => numbers.map((number) => endpoint(number));

const cases: [string, EndpointSlice[], Endpoint[], Partial<ReturnType<typeof plan>>][] = [
  ['nothing to do', [slice('a', 1, 2)], endpoints(2, 1), {}],
  ['first endpoints', [], endpoints(1, 2, 3, 4), { create: ['1,2,3', '4'] }],
  ['no endpoints and no slice', [], [], { create: [''] }],
  ['last endpoint leaves', [slice('a', 1)], [], { update: ['a: '] }],
  ['an empty slice stays', [{ ...slice('a'), ports: [] }], [], {}],
  ['a slice with ports and nothing else loses them', [slice('a')], [], { update: ['a: '] }],
  ['one leaves', [slice('a', 1, 2)], endpoints(1), { update: ['a: 1'] }],
  ['one changes', [slice('a', 1, 2)], [endpoint(1), endpoint(2, false)], { update: ['a: 1,2'] }],
  [
    'a new one takes the place of one that leaves',
    [slice('a', 1, 2, 3), slice('b', 4, 5)],
    endpoints(1, 2, 4, 5, 6),
    { update: ['a: 1,2,6'] },
  ],
  [
    'a new one goes to the fullest slice with room',
    [slice('a', 1), slice('b', 2, 3), slice('c', 4, 5, 6)],
    endpoints(1, 2, 3, 4, 5, 6, 7),
    { update: ['b: 2,3,7'] },
  ],
  [
    'two that fit nowhere together get a slice',
    [slice('b', 2, 3)],
    endpoints(2, 3, 7, 8),
    { create: ['7,8'] },
  ],
  [
    'an emptied slice goes when another holds the rest',
    [slice('a', 1), slice('b', 2)],
    endpoints(2),
    { remove: ['a'] },
  ],
];

for (const [name, existing, wanted, expected] of cases) {
  test(`slices: ${name}`, () => {
    assert.deepEqual(plan(existing, wanted), { create: [], update: [], remove: [], ...expected });
  });
}

test('a slice with other ports is written anew, unless it belongs to somebody else', () => {
  const other = { ...slice('old', 1), ports: [{ name: 'http', port: 8080, protocol: 'TCP' }] };
  assert.deepEqual(plan([other], endpoints(1)), { create: [], update: ['old: 1'], remove: [] });
  const groups = new Map([[key, { ports, endpoints: endpoints(1) }]]);
  assert.deepEqual(planSlices([other], groups, 3).update[0]?.ports, ports);
  const foreign = planSlices([other], groups, 3, () => false);
  assert.deepEqual([foreign.create.length, foreign.remove], [1, [other]]);
});
