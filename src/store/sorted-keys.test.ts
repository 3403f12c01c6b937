import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { compareKeys, SortedKeys } from './sorted-keys.ts';

it('orders keys as their UTF-8 bytes', () => {
  const key = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(key, key, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      assert.equal(Math.sign(compareKeys(a, b)), bytes);
    }),
  );
});

it('answers ranges and counts like a sorted array, over many blocks', () => {
  const key = fc
    .tuple(fc.constantFrom('/a/', '/b/', '/a', '/'), fc.nat(5000))
    .map(([prefix, number]) => `${prefix}${number}`);
  const operation = fc.record({ key, isDelete: fc.boolean() });
  const loaded = fc.uniqueArray(key, { maxLength: 3000, size: 'max' });
  fc.assert(
    fc.property(loaded, fc.array(operation, { maxLength: 300 }), key, (start, changes, after) => {
      const model = new Set(start);
      const keys = new SortedKeys();
      keys.load(start.toSorted(compareKeys));
      for (const change of changes) {
        if (change.isDelete) {
          keys.delete(change.key);
          model.delete(change.key);
        } else {
          keys.add(change.key);
          model.add(change.key);
        }
      }
      const sorted = [...model].sort(compareKeys);
      assert.equal(keys.size, sorted.length);
      for (const prefix of ['', '/a/', '/b', '/none']) {
        const all = sorted.filter((each) => each.startsWith(prefix));
        assert.equal(keys.count(prefix), all.length);
        assert.deepEqual(keys.range(prefix, '', Infinity), { keys: all, remaining: 0 });
        const rest = all.filter((each) => compareKeys(each, after) > 0);
        const expected = { keys: rest.slice(0, 10), remaining: Math.max(0, rest.length - 10) };
        assert.deepEqual(keys.range(prefix, after, 10), expected);
      }
    }),
    { numRuns: 30 },
  );
});

it('stays fast and right when keys are added one by one in order', () => {
  const keys = new SortedKeys();
  for (let i = 0; i < 5000; i++) keys.add(`/k/${String(i).padStart(5, '0')}`);
  keys.add('/k/00007');
  assert.equal(keys.size, 5000);
  assert.equal(keys.count('/k/01'), 1000);
  for (let i = 0; i < 5000; i++) keys.delete(`/k/${String(i).padStart(5, '0')}`);
  assert.equal(keys.size, 0);
  assert.deepEqual(keys.range('', '', 5), { keys: [], remaining: 0 });
});
