import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeHints } from './hint-merger.ts';
import type { TopologyHint } from './hint-provider.ts';
import { allMasks, isNarrower, NumaNodes } from './numa-mask.ts';

const two = new NumaNodes([0, 1]);
const hint = (mask: number | undefined, isPreferred = true): TopologyHint => ({
  mask,
  isPreferred,
});

test('sets of nodes come by size, then by their numbers', () => {
  assert.deepEqual(
    allMasks(3).map((mask) => mask.toString(2)),
    ['1', '10', '100', '11', '101', '110', '111'],
  );
  assert.equal(isNarrower(0b100, 0b011), true);
  assert.equal(isNarrower(0b001, 0b010), true);
  assert.equal(isNarrower(0b011, 0b011), false);
});

test('nodes have their ids, with gaps too', () => {
  const nodes = new NumaNodes([8, 0]);
  assert.deepEqual(nodes.idsIn(nodes.maskOf([8, 99])), [8]);
  assert.deepEqual(nodes.idsIn(nodes.all), [0, 8]);
});

test('hints are merged to the best that all share', () => {
  const anywhere = [hint(undefined)];
  const nowhere = [hint(undefined, false)];
  const table: [name: string, lists: TopologyHint[][], mask: number, isPreferred: boolean][] = [
    ['no wishes', [], 0b11, true],
    ['anywhere', [anywhere], 0b11, true],
    ['nowhere', [nowhere], 0b11, false],
    ['one wish', [[hint(0b01), hint(0b11, false)], anywhere], 0b01, true],
    ['low numbers first', [[hint(0b01), hint(0b10)]], 0b01, true],
    ['the same node', [[hint(0b01), hint(0b10)], [hint(0b10)]], 0b10, true],
    [
      'nodes that differ',
      [
        [hint(0b01), hint(0b11, false)],
        [hint(0b10), hint(0b11, false)],
      ],
      0b01,
      false,
    ],
    ['two nodes are needed', [[hint(0b11)], [hint(0b01), hint(0b11, false)]], 0b11, false],
    ['both preferred, not equal', [[hint(0b11)], [hint(0b01)]], 0b01, false],
    ['one of them nowhere', [[hint(0b10)], nowhere], 0b10, false],
    ['nothing in common', [[hint(0b01)], [hint(0b10)]], 0b11, false],
  ];
  for (const [name, lists, mask, isPreferred] of table) {
    const best = mergeHints({ nodes: two, lists, prefersClosest: false });
    assert.deepEqual(best, { mask, isPreferred }, name);
  }
});

test('nodes near each other are taken when asked for', () => {
  const distances = new Map([
    [0, [10, 40, 20]],
    [1, [40, 10, 30]],
    [2, [20, 30, 10]],
  ]);
  const nodes = new NumaNodes([0, 1, 2], distances);
  const lists = [[hint(0b011), hint(0b101), hint(0b110)]];
  const mask = (prefersClosest: boolean): number =>
    mergeHints({ nodes, lists, prefersClosest }).mask;
  assert.equal(mask(false), 0b011);
  assert.equal(mask(true), 0b101);
});
