import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { packValues, unpackValues } from './packed-values.ts';

it('gives back what was packed, whatever the chunk size', () => {
  const value = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined });
  fc.assert(
    fc.property(fc.array(value), fc.integer({ min: 1, max: 30 }), (values, chunkBytes) => {
      const packed = packValues(values, chunkBytes);
      for (const chunk of packed.chunks) assert.ok(chunk.length > 0);
      const expected = values.map((each) => (each === undefined ? undefined : Buffer.from(each)));
      assert.deepEqual(unpackValues(packed), expected);
    }),
  );
});

it('keeps chunks within their size, but never splits a value', () => {
  const values = [10, 10, 50, 10, 5, 5].map((length) => new Uint8Array(length));
  const { chunks } = packValues(values, 20);
  assert.deepEqual(
    chunks.map((chunk) => chunk.length),
    [20, 50, 20],
  );
});
