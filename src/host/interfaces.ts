import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { hasCode } from '#base/errors.ts';

export interface InterfaceAddress {
  readonly interfaceName: string;
  readonly address: string;
  readonly family: 4 | 6;
  readonly prefixLength: number;
}

export interface DefaultRoute {
  readonly interfaceName: string;
  /** Undefined for a route without a gateway (point to point). */
  readonly gateway: string | undefined;
  readonly metric: number;
}

/** Addresses of our network namespace, without loopback and link-local ones. */
export function listAddresses(): InterfaceAddress[] {
  const found: InterfaceAddress[] = [];
  for (const [interfaceName, addresses] of Object.entries(os.networkInterfaces())) {
    for (const { address, family, internal, cidr } of addresses ?? []) {
      if (internal || address.toLowerCase().startsWith('fe80:')) continue;
      const prefixLength = Number(cidr?.split('/')[1] ?? (family === 'IPv4' ? 32 : 128));
      found.push({ interfaceName, address, family: family === 'IPv4' ? 4 : 6, prefixLength });
    }
  }
  return found;
}

/** Bytes of /proc/net/route are in host order, little-endian on every machine we run on. */
function ipv4FromHex(hex: string): string {
  const bytes = Buffer.from(hex, 'hex').reverse();
  return bytes.join('.');
}

/** The default routes of /proc/net/route, the best metric first. */
export function parseDefaultRoutes(text: string): DefaultRoute[] {
  const routes: DefaultRoute[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [interfaceName, destination, gateway, flags, , , metric, mask] = line.split('\t');
    if (interfaceName === undefined || destination !== '00000000' || mask !== '00000000') continue;
    const isUp = (Number.parseInt(flags ?? '0', 16) & 1) === 1;
    if (!isUp) continue;
    routes.push({
      interfaceName: interfaceName.trim(),
      gateway: gateway === '00000000' ? undefined : ipv4FromHex(gateway ?? ''),
      metric: Number(metric),
    });
  }
  return routes.sort((a, b) => a.metric - b.metric);
}

/** The default routes of /proc/net/ipv6_route, the best metric first. */
export function parseDefaultRoutesV6(text: string): DefaultRoute[] {
  const none = '0'.repeat(32);
  const routes: DefaultRoute[] = [];
  for (const line of text.split('\n')) {
    const [destination, prefix, , , gateway, metric, , , flags, name] = line.trim().split(/\s+/);
    if (destination !== none || prefix !== '00' || name === undefined || name === 'lo') continue;
    if ((Number.parseInt(flags ?? '0', 16) & 1) === 0) continue;
    routes.push({
      interfaceName: name,
      gateway: gateway === none ? undefined : (gateway?.match(/.{4}/g)?.join(':') ?? undefined),
      metric: Number.parseInt(metric ?? '0', 16),
    });
  }
  return routes.sort((a, b) => a.metric - b.metric);
}

/** The interface that carries the default route of a family; undefined without one. */
export async function defaultRoute(family: 4 | 6 = 4): Promise<DefaultRoute | undefined> {
  const file = family === 4 ? '/proc/net/route' : '/proc/net/ipv6_route';
  try {
    const text = await readFile(file, 'utf8');
    return (family === 4 ? parseDefaultRoutes(text) : parseDefaultRoutesV6(text))[0];
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * The address this machine is known by: of the interface with the default route, else the first
 * one there is. Undefined when the machine has nothing but loopback.
 */
export async function primaryAddress(family: 4 | 6 = 4): Promise<string | undefined> {
  const addresses = listAddresses().filter((candidate) => candidate.family === family);
  const route = await defaultRoute(family);
  const onRoute = addresses.find(({ interfaceName }) => interfaceName === route?.interfaceName);
  return (onRoute ?? addresses[0])?.address;
}
