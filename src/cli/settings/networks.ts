import { isIP } from 'node:net';

import {
  cidrContains,
  cidrsOverlap,
  formatCidr,
  formatIp,
  nthAddress,
  parseCidr,
  parseIp,
} from '#base/cidr.ts';
import { K3tsError, messageOf } from '#base/errors.ts';

const usage = (message: string): K3tsError => new K3tsError('Usage', message);

/** Reads --cluster-cidr or --service-cidr: one network, or an IPv4 and an IPv6 one. */
export function readNetworks(
  flag: string,
  texts: readonly string[],
  fallback: string,
): readonly string[] {
  const networks = (texts.length === 0 ? [fallback] : texts).map((text) => {
    try {
      return formatCidr(parseCidr(text.trim()));
    } catch (error) {
      throw usage(`invalid --${flag} "${text}": ${messageOf(error)}`);
    }
  });
  const [first = '', second, ...rest] = networks;
  if (rest.length > 0) throw usage(`--${flag} takes one network, or an IPv4 and an IPv6 one`);
  if (second !== undefined && isIPv6(first) === isIPv6(second)) {
    throw usage(
      `--${flag} "${networks.join(',')}": the second network must be of the other family`,
    );
  }
  return networks;
}

/** Refuses pod and service networks that overlap or whose families differ. */
export function checkNetworks(
  clusterCidrs: readonly string[],
  serviceCidrs: readonly string[],
): void {
  const families = (cidrs: readonly string[]): string => cidrs.map(isIPv6).join();
  if (families(clusterCidrs) !== families(serviceCidrs)) {
    throw usage(
      `--cluster-cidr ${clusterCidrs.join()} and --service-cidr ${serviceCidrs.join()} ` +
        'must have the same IP families in the same order',
    );
  }
  for (const cluster of clusterCidrs) {
    for (const service of serviceCidrs) {
      if (cidrsOverlap(parseCidr(cluster), parseCidr(service))) {
        throw usage(`--cluster-cidr ${cluster} and --service-cidr ${service} overlap`);
      }
    }
  }
}

/** --cluster-dns, or the tenth address of each service network. */
export function readClusterDns(
  texts: readonly string[],
  serviceCidrs: readonly string[],
): readonly string[] {
  if (texts.length === 0)
    return serviceCidrs.map((cidr) => formatIp(nthAddress(parseCidr(cidr), 10)));
  for (const text of texts) {
    if (isIP(text) === 0) throw usage(`invalid --cluster-dns "${text}": an IP address expected`);
  }
  return texts;
}

/** A range of ports as `30000-32767`. */
export function readPortRange(flag: string, text: string): { first: number; last: number } {
  const match = /^(\d+)-(\d+)$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || first < 1 || last > 65_535 || first > last) {
    throw usage(`invalid --${flag} "${text}": a range of ports such as 30000-32767 expected`);
  }
  return { first, last };
}

export function checkPort(flag: string, port: number): number {
  if (port < 1 || port > 65_535) throw usage(`invalid --${flag} ${port}: a port expected`);
  return port;
}

export function checkAddresses(flag: string, addresses: readonly string[]): readonly string[] {
  for (const address of addresses) {
    if (isIP(address) === 0) {
      throw usage(`invalid --${flag} "${address}": an IP address expected`);
    }
  }
  return addresses;
}

/** Addresses that mean another machine, or none, elsewhere; upstream refuses them in Endpoints. */
const privatePlaces = [
  ['127.0.0.0/8', 'is on the loopback'],
  ['::1/128', 'is on the loopback'],
  ['0.0.0.0/32', 'is no address of a machine'],
  ['::/128', 'is no address of a machine'],
  ['169.254.0.0/16', 'is link-local'],
  ['fe80::/10', 'is link-local'],
  ['224.0.0.0/4', 'is a multicast address'],
  ['ff00::/8', 'is a multicast address'],
] as const;

/** As checkAddresses, for addresses at which others reach this machine. */
export function checkReachableAddresses(
  flag: string,
  addresses: readonly string[],
): readonly string[] {
  for (const text of checkAddresses(flag, addresses)) {
    const address = parseIp(text);
    const place = privatePlaces.find(([cidr]) => cidrContains(parseCidr(cidr), address));
    if (place !== undefined) {
      throw usage(
        `invalid --${flag} ${text}: it ${place[1]}; ` +
          'an address is expected at which pods and other machines reach this one',
      );
    }
  }
  return addresses;
}

function isIPv6(cidr: string): boolean {
  return cidr.includes(':');
}
