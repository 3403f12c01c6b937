import { cidrContains, cidrContainsCidr, tryParseCidr, tryParseIp } from '#base/cidr.ts';
import type { Cidr } from '#base/cidr.ts';
import type { IPAddress, ServiceCIDR } from '#schema/types.ts';

const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
const allocatorName = 'ipallocator.k8s.io';

export function cidrsOf({ spec }: ServiceCIDR): Cidr[] {
  return (spec?.cidrs ?? []).flatMap((text) => tryParseCidr(text) ?? []);
}

/**
 * Whether a range may go: each of its ranges lies in one that stays, or no address in it would be
 * left without a range. Pure.
 */
export function mayRemove(
  going: ServiceCIDR,
  all: readonly ServiceCIDR[],
  addresses: readonly IPAddress[],
): boolean {
  const staying = all
    .filter((other) => other.metadata.uid !== going.metadata.uid)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap(cidrsOf);
  const uncovered = cidrsOf(going).filter(
    (own) => !staying.some((other) => cidrContainsCidr(other, own)),
  );
  return !addresses.some(({ metadata }) => {
    // What somebody made by hand is no address of a Service.
    if (metadata.labels?.[managedByLabel] !== allocatorName) return false;
    const address = tryParseIp(metadata.name);
    if (address === undefined) return false;
    const isIn = (cidr: Cidr): boolean => cidrContains(cidr, address);
    return uncovered.some(isIn) && !staying.some(isIn);
  });
}
