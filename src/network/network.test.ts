import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Node } from '#schema/types.ts';
import { renderCniConfig } from './cni-config.ts';
import { renderMasqueradeRules } from './flannel/masquerade.ts';
import { addCommands, peerChanges, peerOf } from './flannel/peers.ts';
import type { Peer } from './flannel/peers.ts';
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

function node(
  name: string,
  annotations: Record<string, string> = {},
  podCIDR = '10.42.1.0/24',
): Node {
  const prefix = 'flannel.alpha.coreos.com';
  return {
    metadata: {
      name,
      annotations: {
        [`${prefix}/backend-type`]: 'vxlan',
        [`${prefix}/backend-data`]: '{"VNI":1,"VtepMAC":"AA:bb:cc:00:11:22"}',
        [`${prefix}/public-ip`]: '10.0.0.2',
        ...annotations,
      },
    },
    spec: { podCIDR, podCIDRs: [podCIDR] },
  };
}

test('a peer is reached by forwarding entry, neighbour and onlink route, as flannel sets them', () => {
  const peer = peerOf(node('b'));
  assert.ok(peer);
  assert.deepEqual(addCommands(peer, 'flannel.1'), {
    bridge: ['fdb replace aa:bb:cc:00:11:22 dev flannel.1 dst 10.0.0.2 self permanent'],
    ip: [
      'neigh replace 10.42.1.0 lladdr aa:bb:cc:00:11:22 dev flannel.1 nud permanent',
      'route replace 10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink',
    ],
  });
});

test('nodes without complete annotations are no peers yet', () => {
  const prefix = 'flannel.alpha.coreos.com';
  for (const change of [
    { [`${prefix}/backend-type`]: 'host-gw' },
    { [`${prefix}/backend-data`]: 'null' },
    { [`${prefix}/backend-data`]: '{"VtepMAC":"x; reboot"}' },
    { [`${prefix}/public-ip`]: '' },
  ]) {
    assert.equal(peerOf(node('b', change)), undefined, JSON.stringify(change));
  }
  assert.equal(peerOf(node('b', {}, '')), undefined);
  const overwritten = node('b', { [`${prefix}/public-ip-overwrite`]: '203.0.113.1' });
  assert.equal(peerOf(overwritten)?.publicIp, '203.0.113.1');
});

test('only what changed of the peers is touched, a moved one is removed first', () => {
  const map = (...nodes: Node[]): Map<string, Peer> =>
    new Map(nodes.flatMap((of) => peerOf(of) ?? []).map((peer) => [peer.nodeName, peer]));
  const moved = node('b', { 'flannel.alpha.coreos.com/public-ip': '10.0.0.9' });
  const { removed, added } = peerChanges(
    map(node('a', {}, '10.42.2.0/24'), node('b'), node('c', {}, '10.42.3.0/24')),
    map(node('a', {}, '10.42.2.0/24'), moved, node('d', {}, '10.42.4.0/24')),
  );
  assert.deepEqual(
    removed.map(({ nodeName, publicIp }) => `${nodeName} ${publicIp}`),
    ['b 10.0.0.2', 'c 10.0.0.2'],
  );
  assert.deepEqual(
    added.map(({ nodeName, publicIp }) => `${nodeName} ${publicIp}`),
    ['b 10.0.0.9', 'd 10.0.0.2'],
  );
});
