import { openIptables } from '#host/iptables.ts';

/**
 * Rules for one address family, as flannel sets them: pods' traffic to anywhere outside the
 * cluster leaves with the node's address, and forwarding from and to pods is allowed.
 */
export function renderMasqueradeRules(options: {
  clusterCidr: string;
  podCidr: string;
  multicast: string;
}): string {
  const { clusterCidr, podCidr, multicast } = options;
  const comment = '-m comment --comment "flanneld masq"';
  const forward = '-m comment --comment "flanneld forward"';
  return [
    '*nat',
    ':FLANNEL-POSTRTG - [0:0]',
    // The mark of packets that the service proxy masquerades itself.
    `-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 ${comment} -j RETURN`,
    `-A FLANNEL-POSTRTG -s ${podCidr} -d ${clusterCidr} ${comment} -j RETURN`,
    `-A FLANNEL-POSTRTG -s ${clusterCidr} -d ${podCidr} ${comment} -j RETURN`,
    `-A FLANNEL-POSTRTG ! -s ${clusterCidr} -d ${podCidr} ${comment} -j RETURN`,
    `-A FLANNEL-POSTRTG -s ${clusterCidr} ! -d ${multicast} ${comment} -j MASQUERADE --random-fully`,
    `-A FLANNEL-POSTRTG ! -s ${clusterCidr} -d ${clusterCidr} ${comment} -j MASQUERADE --random-fully`,
    'COMMIT',
    '*filter',
    ':FLANNEL-FWD - [0:0]',
    `-A FLANNEL-FWD -s ${clusterCidr} ${forward} -j ACCEPT`,
    `-A FLANNEL-FWD -d ${clusterCidr} ${forward} -j ACCEPT`,
    'COMMIT',
    '',
  ].join('\n');
}

const jumps: readonly (readonly [string, string, string, string])[] = [
  ['nat', 'POSTROUTING', 'FLANNEL-POSTRTG', 'flanneld masq'],
  ['filter', 'FORWARD', 'FLANNEL-FWD', 'flanneld forward'],
];

/** Applies the rules and hangs the chains in; safe to repeat. */
export async function ensureMasquerade(
  clusterCidrs: readonly string[],
  podCidrs: readonly string[],
): Promise<void> {
  for (const podCidr of podCidrs) {
    const isV6 = podCidr.includes(':');
    const clusterCidr = clusterCidrs.find((cidr) => cidr.includes(':') === isV6);
    if (clusterCidr === undefined) continue;
    const iptables = await openIptables({ family: isV6 ? 6 : 4 });
    const multicast = isV6 ? 'ff00::/8' : '224.0.0.0/4';
    await iptables.restore(renderMasqueradeRules({ clusterCidr, podCidr, multicast }));
    for (const [table, from, to, text] of jumps) {
      const rule = [from, '-m', 'comment', '--comment', text, '-j', to];
      if (!(await iptables.check(['-t', table, '-C', ...rule]))) {
        await iptables.run(['-t', table, '-A', ...rule]);
      }
    }
  }
}
