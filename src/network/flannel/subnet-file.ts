import { formatIp, nthAddress, parseCidr } from '#base/cidr.ts';

/** /run/flannel/subnet.env, which flannel's CNI plugin and people's scripts read. */
export function renderSubnetFile(options: {
  clusterCidrs: readonly string[];
  podCidrs: readonly string[];
  mtu: number;
}): string {
  const isV6 = (cidr: string): boolean => cidr.includes(':');
  const lines: string[] = [];
  const add = (prefix: string, networks: readonly string[], subnets: readonly string[]): void => {
    const [network] = networks;
    const [subnet] = subnets;
    if (network === undefined || subnet === undefined) return;
    const cidr = parseCidr(subnet);
    lines.push(`${prefix}_NETWORK=${network}`);
    lines.push(`${prefix}_SUBNET=${formatIp(nthAddress(cidr, 1))}/${cidr.prefixLength}`);
  };
  const ofFamily = (cidrs: readonly string[], wantsV6: boolean): string[] =>
    cidrs.filter((cidr) => isV6(cidr) === wantsV6);
  add('FLANNEL', ofFamily(options.clusterCidrs, false), ofFamily(options.podCidrs, false));
  add('FLANNEL_IPV6', ofFamily(options.clusterCidrs, true), ofFamily(options.podCidrs, true));
  lines.push(`FLANNEL_MTU=${options.mtu}`, 'FLANNEL_IPMASQ=true');
  return `${lines.join('\n')}\n`;
}
