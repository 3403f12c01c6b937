import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineSplitter } from './line-splitter.ts';

test('finds the same lines however the bytes are cut', () => {
  const text = 'one\n\ntwö\nthree\n';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = createLineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      lines.push(...splitter.push(bytes.subarray(at, at + size)));
    }
    assert.deepEqual(lines, ['one', 'twö', 'three'], `in chunks of ${size}`);
  }
});

test('keeps an unfinished line to itself and refuses one above the bound', () => {
  const splitter = createLineSplitter(8);
  assert.deepEqual(splitter.push(Buffer.from('a\nbcd')), ['a']);
  assert.throws(() => splitter.push(Buffer.from('efghij')), { code: 'LineTooLong' });
});
