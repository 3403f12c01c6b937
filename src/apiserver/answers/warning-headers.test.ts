import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warningHeaders } from './warning-headers.ts';

test('texts are quoted, and go out as UTF-8; what no header can hold is left out', () => {
  assert.deepEqual(warningHeaders(['a "b" \\', 'x\ny', '', 'ñ']), [
    '299 - "a \\"b\\" \\\\"',
    `299 - "${Buffer.from('ñ').toString('latin1')}"`,
  ]);
});

test('when they are too much together all are cut, then later ones are left out', () => {
  const long = (letter: string): string => letter.repeat(1000);
  const four = ['a', 'b', 'c', 'd'].map(long);
  assert.deepEqual(
    warningHeaders(four).map((header) => header.length),
    Array.from({ length: 4 }, () => 1000 + '299 - ""'.length),
  );
  const five = warningHeaders([...four, long('e'), 'short']);
  assert.equal(five.length, 6);
  assert.equal(five[0], `299 - "${'a'.repeat(256)}"`);
  assert.equal(five[5], '299 - "short"');
  const letters = Array.from({ length: 30 }, (_, index) => `${index}${long('x')}`);
  assert.equal(warningHeaders(letters).length, 16);
});
