import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  canonicalIp,
  cidrContains,
  cidrContainsCidr,
  cidrSize,
  cidrsOverlap,
  formatCidr,
  formatIp,
  nthAddress,
  nthSubnet,
  parseCidr,
  parseIp,
  tryParseCidr,
  tryParseIp,
} from './cidr.ts';

test('writes addresses in canonical form', () => {
  const cases: readonly [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fd00:0:0:1:0:0:0:1', 'fd00:0:0:1::1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['fe80::', 'fe80::'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ];
  for (const [text, expected] of cases) assert.equal(canonicalIp(text), expected, text);
});

test('refuses what Go refuses', () => {
  const bad = [
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1 ',
    '0x0a.0.0.1',
    '1.2.3.4.5',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7::8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3.4:5',
    'g::',
  ];
  for (const text of bad) assert.equal(tryParseIp(text), undefined, text);
  assert.throws(() => parseIp('10.0.0'), { code: 'InvalidIp' });
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '::/129',
    '/8',
    '::/-1',
  ]) {
    assert.equal(tryParseCidr(text), undefined, text);
  }
  assert.throws(() => parseCidr('10.0.0.0/33'), {
    code: 'InvalidCidr',
    message: 'invalid CIDR address: 10.0.0.0/33',
  });
});

test('knows what is inside a range', () => {
  const pods = parseCidr('10.42.0.7/16');
  assert.equal(formatCidr(pods), '10.42.0.0/16');
  assert.equal(formatIp({ family: 4, value: pods.address }), '10.42.0.7');
  assert.ok(cidrContains(pods, parseIp('10.42.255.255')));
  assert.ok(!cidrContains(pods, parseIp('10.43.0.0')));
  assert.ok(!cidrContains(parseCidr('0.0.0.0/0'), parseIp('::1')));
  assert.ok(cidrContainsCidr(pods, parseCidr('10.42.3.0/24')));
  assert.ok(!cidrContainsCidr(parseCidr('10.42.3.0/24'), pods));
  assert.ok(cidrsOverlap(parseCidr('10.42.3.0/24'), pods));
  assert.ok(!cidrsOverlap(parseCidr('10.43.0.0/16'), pods));
});

test('counts addresses and networks from both ends', () => {
  const services = parseCidr('10.43.0.0/16');
  assert.equal(cidrSize(services), 65536n);
  assert.equal(formatIp(nthAddress(services, 10)), '10.43.0.10');
  assert.equal(formatIp(nthAddress(services, -1)), '10.43.255.255');
  assert.equal(
    formatIp(nthAddress(parseCidr('fd00::/64'), 2n ** 64n - 1n)),
    'fd00::ffff:ffff:ffff:ffff',
  );
  assert.throws(() => nthAddress(services, 65536), { code: 'OutOfRange' });
  assert.throws(() => nthAddress(services, -65537), { code: 'OutOfRange' });
  assert.equal(formatCidr(nthSubnet(services, 24, 3)), '10.43.3.0/24');
  assert.equal(formatCidr(nthSubnet(parseCidr('fd00::/48'), 64, 65535)), 'fd00:0:0:ffff::/64');
  assert.throws(() => nthSubnet(services, 24, 256), { code: 'OutOfRange' });
  assert.throws(() => nthSubnet(services, 8, 0), { code: 'OutOfRange' });
});

test('every address survives being written and read', () => {
  const value = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
  fc.assert(
    fc.property(value, fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (bits, mask) => {
      const address = { family: 6 as const, value: bits & mask };
      assert.deepEqual(parseIp(formatIp(address)), address);
    }),
  );
});
