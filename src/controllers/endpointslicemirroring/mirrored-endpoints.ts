import { formatIp, tryParseIp } from '#base/cidr.ts';
import type { Endpoint, EndpointAddress, Endpoints } from '#schema/types.ts';
import { portsKey } from '../endpointslice/desired-endpoints.ts';
import type { EndpointGroup } from '../endpointslice/desired-endpoints.ts';

/** As upstream: addresses of a subset beyond this number are left out. */
const maxPerSubset = 1000;

export interface MirroredEndpoints {
  readonly IPv4: ReadonlyMap<string, EndpointGroup>;
  readonly IPv6: ReadonlyMap<string, EndpointGroup>;
  /** Addresses that were left out: too many, or none at all. */
  readonly skipped: number;
  readonly invalid: number;
}

/** The endpoints of hand-written Endpoints, grouped by family and ports; pure. */
export function mirroredEndpoints({ subsets = [] }: Endpoints): MirroredEndpoints {
  const groups = {
    IPv4: new Map<string, EndpointGroup>(),
    IPv6: new Map<string, EndpointGroup>(),
  };
  let skipped = 0;
  let invalid = 0;
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    const slicePorts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const key = portsKey(slicePorts);
    const all = [
      ...addresses.map((address) => ({ address, isReady: true })),
      ...notReadyAddresses.map((address) => ({ address, isReady: false })),
    ];
    let taken = 0;
    for (const { address, isReady } of all) {
      const parsed = tryParseIp(address.ip);
      if (parsed === undefined) invalid += 1;
      else if (taken >= maxPerSubset) skipped += 1;
      else {
        taken += 1;
        const family = groups[parsed.family === 6 ? 'IPv6' : 'IPv4'];
        let group = family.get(key);
        if (group === undefined) family.set(key, (group = { ports: slicePorts, endpoints: [] }));
        group.endpoints.push(endpointOf({ ...address, ip: formatIp(parsed) }, isReady));
      }
    }
  }
  return { ...groups, skipped, invalid };
}

function endpointOf(
  { ip, hostname, nodeName, targetRef }: EndpointAddress,
  ready: boolean,
): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(targetRef === undefined ? {} : { targetRef }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...((hostname ?? '') === '' ? {} : { hostname }),
  };
}
