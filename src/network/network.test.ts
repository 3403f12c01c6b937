import assert from 'node:assert/strict';
import { test } from 'node:test';

import { renderCniConfig } from './cni-config.ts';
import { renderMasqueradeRules } from './flannel/masquerade.ts';
import { renderSubnetFile } from './flannel/subnet-file.ts';

test('the network list gives pods addresses of the node and hairpin ports', () => {
  const text = renderCniConfig({
    podCidrs: ['10.42.0.0/24', 'fd00::/64'],
    clusterCidrs: ['10.42.0.0/16', 'fd00::/56'],
    mtu: 1450,
    hasBandwidth: false,
  });
  const { name, cniVersion, plugins } = JSON.parse(text) as {
    name: string;
    cniVersion: string;
    plugins: { type: string; hairpinMode?: boolean; ipam?: { ranges: unknown; routes: unknown } }[];
  };
  assert.deepEqual([name, cniVersion], ['cbr0', '1.0.0']);
  assert.deepEqual(
    plugins.map(({ type }) => type),
    ['bridge', 'portmap'],
  );
  assert.equal(plugins[0]?.hairpinMode, true);
  assert.deepEqual(plugins[0].ipam?.ranges, [
    [{ subnet: '10.42.0.0/24' }],
    [{ subnet: 'fd00::/64' }],
  ]);
});

test('the subnet file has flannel’s keys, the bridge address first', () => {
  const text = renderSubnetFile({
    clusterCidrs: ['10.42.0.0/16'],
    podCidrs: ['10.42.3.0/24'],
    mtu: 1450,
  });
  assert.equal(
    text,
    'FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.3.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n',
  );
});

test('only what leaves the cluster is masqueraded', () => {
  const rules = renderMasqueradeRules({
    clusterCidr: '10.42.0.0/16',
    podCidr: '10.42.0.0/24',
    multicast: '224.0.0.0/4',
  });
  const nat =
    rules
      .split('COMMIT')[0]
      ?.split('\n')
      .filter((line) => line.startsWith('-A')) ?? [];
  assert.match(nat[0] ?? '', /0x4000\/0x4000 .*RETURN$/);
  assert.match(nat[4] ?? '', /-s 10\.42\.0\.0\/16 ! -d 224\.0\.0\.0\/4 .*MASQUERADE/);
});
