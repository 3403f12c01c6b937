import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  checkNetworks,
  checkReachableAddresses,
  readClusterDns,
  readNetworks,
  readPortRange,
} from './networks.ts';

test('networks are read in canonical form, one or one of each family', () => {
  assert.deepEqual(readNetworks('cluster-cidr', [], '10.42.0.0/16'), ['10.42.0.0/16']);
  assert.deepEqual(readNetworks('cluster-cidr', ['10.1.2.3/16', 'FD00:0::/56'], ''), [
    '10.1.0.0/16',
    'fd00::/56',
  ]);
});

test('malformed and overlapping networks are refused', () => {
  const bad: [string[], RegExp][] = [
    [['10.42.0.0'], /invalid --cluster-cidr "10\.42\.0\.0"/],
    [['10.42.0.0/33'], /invalid --cluster-cidr/],
    [['010.1.0.0/16'], /invalid --cluster-cidr/],
    [['10.1.0.0/16', '10.2.0.0/16'], /must be of the other family/],
    [['10.1.0.0/16', 'fd00::/56', 'fd01::/56'], /takes one network/],
  ];
  for (const [texts, message] of bad) {
    assert.throws(() => readNetworks('cluster-cidr', texts, ''), { code: 'Usage', message });
  }
  assert.throws(() => checkNetworks(['10.0.0.0/8'], ['10.43.0.0/16']), /overlap$/);
  assert.throws(() => checkNetworks(['fd00::/56'], ['10.43.0.0/16']), /same IP families/);
});

test('the DNS address is the tenth of the service network', () => {
  assert.deepEqual(readClusterDns([], ['10.43.0.0/16', 'fd01::/112']), ['10.43.0.10', 'fd01::a']);
  assert.deepEqual(readClusterDns(['10.43.0.53'], ['10.43.0.0/16']), ['10.43.0.53']);
  assert.throws(() => readClusterDns(['dns'], ['10.43.0.0/16']), { code: 'Usage' });
});

test('a port range has two ports in order', () => {
  assert.deepEqual(readPortRange('x', '30000-32767'), { first: 30_000, last: 32_767 });
  for (const text of ['30000', '5-1', '0-5', '1-70000', 'a-b']) {
    assert.throws(() => readPortRange('x', text), { code: 'Usage' });
  }
});

test('an address that others cannot reach is refused with the reason', () => {
  const bad: [string, RegExp][] = [
    ['127.0.0.1', /^invalid --node-ip 127\.0\.0\.1: it is on the loopback; an address is expected/],
    ['::1', /loopback/],
    ['0.0.0.0', /no address of a machine/],
    ['169.254.1.2', /link-local/],
    ['fe80::1', /link-local/],
    ['224.0.0.1', /multicast/],
    ['banana', /an IP address expected$/],
  ];
  for (const [text, message] of bad) {
    assert.throws(() => checkReachableAddresses('node-ip', [text]), { code: 'Usage', message });
  }
  assert.deepEqual(checkReachableAddresses('node-ip', ['10.0.0.1', '2001:db8::1']), [
    '10.0.0.1',
    '2001:db8::1',
  ]);
});
