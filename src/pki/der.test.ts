import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasCode } from '#base/errors.ts';
import { der, integer, objectIdentifier, readSequence, sequence, text, time } from './der.ts';

test('values are written as the standard says', () => {
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['a short length', der(0x04, Buffer.alloc(2)), '04020000'],
    ['a length of one byte', der(0x04, Buffer.alloc(128)).subarray(0, 3), '048180'],
    ['a length of two bytes', der(0x04, Buffer.alloc(300)).subarray(0, 4), '0482012c'],
    ['a number whose top bit is set', integer(Buffer.from([0x80])), '02020080'],
    ['a number', integer(Buffer.from([0x7f])), '02017f'],
    ['an identifier', objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['printable text', text('system:node a'), '130d73797374656d3a6e6f64652061'],
    ['other text', text('k@ä'), '0c046b40c3a4'],
    ['a time', time(Date.UTC(2049, 11, 31, 1, 2, 3)), `170d${hex('491231010203Z')}`],
    ['a late time', time(Date.UTC(2050, 0, 1)), `180f${hex('20500101000000Z')}`],
  ];
  for (const [what, bytes, expected] of cases) {
    assert.equal(bytes.toString('hex'), expected, what);
  }
});

test('what was written is read again, what is cut off is refused', () => {
  const written = sequence(text('a'), sequence(text('b'.repeat(200))));
  const [first, second] = readSequence(written);
  assert.equal(String(first?.content), 'a');
  assert.equal(readSequence(second!.whole)[0]?.content.length, 200);
  for (let end = 0; end < written.length; end += 1) {
    assert.throws(
      () => readSequence(written.subarray(0, end)),
      (error) => hasCode(error, 'BadRequest'),
      `${end} bytes`,
    );
  }
});

function hex(ascii: string): string {
  return Buffer.from(ascii).toString('hex');
}
