import { join } from 'node:path';

import { readFileIfExists, writeFileAtomic } from '#host/atomic-file.ts';

const fileName = '10-flannel.conflist';

/**
 * The network list that containerd runs for each pod: the reference bridge plugin on cni0 with
 * addresses out of this node's podCIDRs, then port mappings and bandwidth. k3s reaches the same
 * through flannel's own plugin, which Debian does not have.
 */
export function renderCniConfig(options: {
  podCidrs: readonly string[];
  clusterCidrs: readonly string[];
  mtu: number;
  hasBandwidth: boolean;
}): string {
  const { podCidrs, clusterCidrs, mtu, hasBandwidth } = options;
  const plugins: object[] = [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      // Adds the default route of each family; a second one from ipam fails: file exists.
      isDefaultGateway: true,
      forceAddress: true,
      hairpinMode: true,
      // What leaves the cluster is masqueraded by one rule of the node, not by one for each pod.
      ipMasq: false,
      mtu,
      ipam: {
        type: 'host-local',
        ranges: podCidrs.map((subnet) => [{ subnet }]),
        // The default route is isDefaultGateway's; saying it twice fails.
        routes: clusterCidrs.map((dst) => ({ dst })),
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    ...(hasBandwidth ? [{ type: 'bandwidth', capabilities: { bandwidth: true } }] : []),
  ];
  return `${JSON.stringify({ name: 'cbr0', cniVersion: '1.0.0', plugins }, undefined, 2)}\n`;
}

/** Puts the network list where containerd looks; says whether it changed. */
export async function writeCniConfig(directory: string, content: string): Promise<boolean> {
  const path = join(directory, fileName);
  if ((await readFileIfExists(path)) === content) return false;
  await writeFileAtomic(path, content, 0o644);
  return true;
}
