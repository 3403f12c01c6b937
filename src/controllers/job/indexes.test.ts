import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIndexes, parseIndexes } from './indexes.ts';

for (const [text, indexes] of [
  ['', []],
  ['0', [0]],
  ['1,3-5,7', [1, 3, 4, 5, 7]],
  ['0,1', [0, 1]],
  ['0-9', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
] as const) {
  test(`indexes are written and read: "${text}"`, () => {
    assert.equal(formatIndexes(new Set(indexes)), text);
    assert.deepEqual([...parseIndexes(text, 100)], [...indexes]);
  });
}

test('indexes beyond the completions are left out', () => {
  assert.deepEqual([...parseIndexes('1,3-5,7', 4)], [1, 3]);
});
