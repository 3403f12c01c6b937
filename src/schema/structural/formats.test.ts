import assert from 'node:assert/strict';
import { it } from 'node:test';

import { hasFormat, isKnownFormat } from './formats.ts';

const examples: Readonly<Record<string, readonly [good: string[], bad: string[]]>> = {
  bsonobjectid: [['507f1f77bcf86cd799439011'], ['507f', 'zz7f1f77bcf86cd799439011']],
  uri: [
    ['https://a.example/x?y=1', '/path', 'urn:a:b'],
    ['', 'no scheme', 'a b'],
  ],
  email: [
    ['a@b.example', 'first.last@x'],
    ['a', '@b', 'a@'],
  ],
  hostname: [
    ['a.example', 'host'],
    ['-a', 'a..b', 'a_b'],
  ],
  ipv4: [['10.0.0.1'], ['10.0.0', '::1']],
  ipv6: [['::1', 'fe80::1'], ['10.0.0.1']],
  cidr: [
    ['10.0.0.0/8', 'fd00::/64'],
    ['10.0.0.0', '10.0.0.0/33', 'x/8'],
  ],
  mac: [['01:23:45:67:89:ab', '01-23-45-67-89-AB'], ['01:23']],
  uuid: [['a7e9c4b0-0000-4000-8000-000000000000'], ['a7e9']],
  uuid4: [['a7e9c4b0-0000-4000-8000-000000000000'], ['a7e9c4b0-0000-5000-8000-000000000000']],
  isbn: [['0321751043', '978-0321751041'], ['0321751044']],
  creditcard: [['4111-1111-1111-1111'], ['4111-1111-1111-1112']],
  ssn: [['111-11-1111'], ['1-1']],
  hexcolor: [['#FFF', 'ffffff'], ['#ggg']],
  rgbcolor: [['rgb(255, 0,1)'], ['rgb(256,0,0)']],
  byte: [
    ['aGVsbG8=', ''],
    ['a', '!!!!'],
  ],
  date: [['2024-02-29'], ['2023-02-29', '2024-2-1']],
  duration: [
    ['1h30m', '22 ns', '1.5s', '0', '3 days'],
    ['1x', 'h', ''],
  ],
  'date-time': [
    ['2014-12-15T19:30:20.000Z', '2014-12-15T19:30:20+01:00'],
    ['2014-12-15', '2014-13-15T00:00:00Z'],
  ],
  quantity: [['10Gi', '100m'], ['x']],
  'k8s-short-name': [['a-b'], ['A', '-a', 'a'.repeat(64)]],
  'k8s-long-name': [['a.b-c'], ['a..b', 'A.b']],
};

for (const [format, [good, bad]] of Object.entries(examples)) {
  it(`format ${format}`, () => {
    assert.equal(isKnownFormat('string', format), true);
    for (const text of good) assert.equal(hasFormat(format, text), true, text);
    for (const text of bad) assert.equal(hasFormat(format, text), false, text);
  });
}

it('formats of numbers are int32 and int64, float and double', () => {
  assert.equal(isKnownFormat('integer', 'int32'), true);
  assert.equal(isKnownFormat('integer', 'double'), false);
  assert.equal(isKnownFormat('number', 'double'), true);
  assert.equal(isKnownFormat('object', 'byte'), false);
});
