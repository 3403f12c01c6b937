import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goQuote, renderValue } from '../bad-value.ts';
import { rootPath } from '../field-path.ts';
import { ipFamily, sloppyCidrErrors, sloppyIpErrors, strictIpErrors } from './addresses.ts';
import { configMapKeyErrors, dns1123LabelErrors, pathSegmentErrors } from './names.ts';
import { portNameErrors } from './ports.ts';

test('paths are rendered as Go does', () => {
  const spec = rootPath.child('spec');
  assert.equal(
    spec.child('containers').at(0).child('image').toString(),
    'spec.containers[0].image',
  );
  assert.equal(spec.child('limits').key('cpu').child('x').toString(), 'spec.limits[cpu].x');
  assert.equal(rootPath.child('').toString(), '');
});

test('values are quoted as Go does', () => {
  assert.equal(goQuote('a"b\\\n\t'), '"a\\"b\\\\\\n\\t"');
  assert.equal(goQuote('\u0000\u0007\u000b\u001f\u007f'), '"\\x00\\a\\v\\x1f\\x7f"');
  assert.equal(goQuote('ü\u00a0'), '"ü\\u00a0"');
  assert.equal(renderValue(7), '7');
  assert.equal(renderValue(undefined), 'null');
  assert.equal(renderValue({ a: ['b'] }), '{"a":["b"]}');
});

test('labels of domains have no dots and 63 characters', () => {
  assert.deepEqual(dns1123LabelErrors('a-1'), []);
  assert.deepEqual(dns1123LabelErrors('a.b'), ['must not contain dots']);
  assert.deepEqual(dns1123LabelErrors('a'.repeat(64)), ['must be no more than 63 characters']);
});

test('keys of config maps become file names', () => {
  assert.deepEqual(configMapKeyErrors('.hidden_1'), []);
  assert.deepEqual(configMapKeyErrors('..'), ["must not be '..'"]);
  assert.deepEqual(configMapKeyErrors('..a'), ["must not start with '..'"]);
});

test('names of paths hold neither slash nor percent sign', () => {
  assert.deepEqual(pathSegmentErrors('system:node'), []);
  assert.deepEqual(pathSegmentErrors('a/b%'), ["may not contain '/'", "may not contain '%'"]);
});

test('port names', () => {
  assert.deepEqual(portNameErrors('http-8'), []);
  assert.deepEqual(portNameErrors('-1--2'), [
    'must contain at least one letter (a-z)',
    'must not contain consecutive hyphens',
    'must not begin or end with a hyphen',
  ]);
});

test('addresses, as old fields and as new ones take them', () => {
  const zeros = 'must not have leading 0s';
  const mapped = 'must not be an IPv4-mapped IPv6 address';
  const rows: ReadonlyArray<readonly [string, sloppy: string[], strict: string[]]> = [
    ['10.0.0.1', [], []],
    ['::1', [], []],
    ['010.0.0.1', [zeros], [zeros]],
    ['::ffff:1.2.3.4', [mapped], [mapped]],
    ['2001:DB8::1', [], ['must be in canonical form ("2001:db8::1")']],
    ['2001:0db8::1', [], ['must be in canonical form ("2001:db8::1")']],
  ];
  for (const [text, sloppy, strict] of rows) {
    assert.deepEqual(sloppyIpErrors(text), sloppy, text);
    assert.deepEqual(strictIpErrors(text), strict, text);
  }
  assert.match(sloppyIpErrors('10.0.0')[0] ?? '', /^must be a valid IP address/);
  assert.equal(ipFamily('010.1.1.1'), 4);
});

test('ranges, of which the first fault is told', () => {
  assert.deepEqual(sloppyCidrErrors('10.0.0.0/8'), []);
  assert.deepEqual(sloppyCidrErrors('10.0.0.1/8'), [
    'must not have bits set beyond the prefix length',
  ]);
  assert.deepEqual(sloppyCidrErrors('10.0.0.1/08'), [
    'must not have leading 0s in IP or prefix length',
  ]);
  assert.match(sloppyCidrErrors('10.0.0.0')[0] ?? '', /^must be a valid CIDR value/);
});
