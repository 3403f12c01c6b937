import { formatIp, networkAddress, parseCidr, tryParseCidr } from '#base/cidr.ts';
import type { Node } from '#schema/types.ts';

/** Another node as this one reaches it through the VXLAN device. */
export interface Peer {
  readonly nodeName: string;
  /** Its slice of the pod network, and the first address of it, which its device carries. */
  readonly podCidr: string;
  readonly gateway: string;
  readonly macAddress: string;
  /** Where its VXLAN packets go. */
  readonly publicIp: string;
}

const prefix = 'flannel.alpha.coreos.com';

/** What a node's annotations say of it; undefined until its own flannel has written them. */
export function peerOf(node: Node): Peer | undefined {
  const annotations = node.metadata.annotations ?? {};
  if (annotations[`${prefix}/backend-type`] !== 'vxlan') return undefined;
  const publicIp =
    annotations[`${prefix}/public-ip-overwrite`] ?? annotations[`${prefix}/public-ip`] ?? '';
  const cidrs = node.spec?.podCIDRs ?? [node.spec?.podCIDR ?? ''];
  const podCidr = cidrs.find((text) => tryParseCidr(text)?.family === 4);
  const macAddress = macAddressOf(annotations[`${prefix}/backend-data`]);
  if (publicIp === '' || podCidr === undefined || macAddress === undefined) return undefined;
  return {
    nodeName: node.metadata.name,
    podCidr,
    gateway: formatIp(networkAddress(parseCidr(podCidr))),
    macAddress,
    publicIp,
  };
}

/** The MAC of `{"VNI":1,"VtepMAC":"…"}`; anybody can write annotations, so it is checked. */
function macAddressOf(text: string | undefined): string | undefined {
  try {
    const data = JSON.parse(text ?? '') as { VtepMAC?: unknown };
    const mac = typeof data.VtepMAC === 'string' ? data.VtepMAC.toLowerCase() : '';
    return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) ? mac : undefined;
  } catch {
    return undefined;
  }
}

/** Commands for `ip -batch` and `bridge -batch`, in the order in which they have to run. */
export interface PeerCommands {
  readonly bridge: readonly string[];
  readonly ip: readonly string[];
}

/** How a peer becomes reachable: where its MAC is, which MAC its gateway has, then the route. */
export function addCommands(peer: Peer, device: string): PeerCommands {
  return {
    bridge: [`fdb replace ${peer.macAddress} dev ${device} dst ${peer.publicIp} self permanent`],
    ip: [
      `neigh replace ${peer.gateway} lladdr ${peer.macAddress} dev ${device} nud permanent`,
      `route replace ${peer.podCidr} via ${peer.gateway} dev ${device} onlink`,
    ],
  };
}

export function removeCommands(peer: Peer, device: string): PeerCommands {
  return {
    bridge: [`fdb delete ${peer.macAddress} dev ${device} dst ${peer.publicIp} self`],
    ip: [
      `route delete ${peer.podCidr} dev ${device}`,
      `neigh delete ${peer.gateway} dev ${device}`,
    ],
  };
}

/** What leads from the peers known so far to the wanted ones; a changed peer is both. */
export function peerChanges(
  known: ReadonlyMap<string, Peer>,
  wanted: ReadonlyMap<string, Peer>,
): { removed: Peer[]; added: Peer[] } {
  const isSame = (a: Peer | undefined, b: Peer): boolean => JSON.stringify(a) === JSON.stringify(b);
  return {
    removed: [...known.values()].filter((peer) => {
      const next = wanted.get(peer.nodeName);
      return next === undefined || !isSame(next, peer);
    }),
    added: [...wanted.values()].filter((peer) => !isSame(known.get(peer.nodeName), peer)),
  };
}
