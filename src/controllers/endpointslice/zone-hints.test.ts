import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, Node } from '#schema/types.ts';
import { zoneHints, zoneShares } from './zone-hints.ts';

function node(zone: string, cpu = '4', ready = 'True', labels: Record<string, string> = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `n-${zone}`, labels: { 'topology.kubernetes.io/zone': zone, ...labels } },
    status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: ready }] },
  };
}

const endpoints = (...zones: string[]): Endpoint[] =>
  zones.map((zone, at) => ({
    addresses: [`10.0.0.${at}`],
    conditions: { ready: true },
    ...(zone === '' ? {} : { zone }),
  }));

test('shares go by the CPUs of ready nodes that are no control plane', () => {
  const control = node('c', '4', 'True', { 'node-role.kubernetes.io/control-plane': 'true' });
  const shares = zoneShares([node('a', '6'), node('b', '2'), node('d', '4', 'False'), control]);
  assert.deepEqual(
    [...(shares ?? [])],
    [
      ['a', 0.75],
      ['b', 0.25],
    ],
  );
  assert.equal(zoneShares([node('a')]), undefined, 'one zone');
  assert.equal(zoneShares([node('a'), node('b'), node('')]), undefined, 'a node without a zone');
  assert.equal(zoneShares([node('a'), node('b', '0')]), undefined, 'a node without CPUs');
});

const two = new Map([
  ['a', 0.5],
  ['b', 0.5],
]);

test('each zone keeps its own endpoints while they are enough', () => {
  const all = endpoints('a', 'a', 'b', 'b');
  const hints = zoneHints(all, two, () => undefined);
  assert.ok('zones' in hints);
  assert.deepEqual(
    all.map((one) => hints.zones.get(one)),
    ['a', 'a', 'b', 'b'],
  );
});

test('a zone with too few is lent some, and what was lent before stays lent', () => {
  const all = endpoints('a', 'a', 'a', 'b');
  const lent = (former?: Endpoint): (string | undefined)[] => {
    const hints = zoneHints(all, two, (one) => (one === former ? 'b' : undefined));
    assert.ok('zones' in hints);
    return all.map((one) => hints.zones.get(one));
  };
  assert.deepEqual(lent(), ['a', 'a', 'b', 'b']);
  assert.deepEqual(lent(all[0]), ['b', 'a', 'a', 'b']);
});

for (const [problem, all, shares] of [
  [
    'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    endpoints('a', 'b'),
    undefined,
  ],
  ['Insufficient number of endpoints (1 endpoints, 2 zones)', endpoints('a'), two],
  ['One or more endpoints do not have a zone specified', endpoints('a', ''), two],
  [
    'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 3 zones)',
    endpoints('a', 'a', 'b', 'c'),
    new Map([
      ['a', 0.35],
      ['b', 0.35],
      ['c', 0.3],
    ]),
  ],
] as const) {
  test(`no hints: ${problem}`, () => {
    assert.deepEqual(
      zoneHints(all, shares, () => undefined),
      { problem },
    );
  });
}
