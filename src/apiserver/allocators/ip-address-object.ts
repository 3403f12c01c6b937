import { tryParseIp } from '#base/cidr.ts';
import type { IPAddress, Service } from '#schema/types.ts';

export const managedByLabel = 'ipaddress.kubernetes.io/managed-by';
export const familyLabel = 'ipaddress.kubernetes.io/ip-family';
export const manager = 'ipallocator.k8s.io';

/** Who an address is for: its Service, which may not be stored yet. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

export function serviceNameOf({ metadata }: Service): ServiceName {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

/** The object that reserves an address: nobody else can create one of this name. */
export function ipAddressFor(address: string, { namespace, name }: ServiceName): IPAddress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      labels: { [familyLabel]: familyOf(address), [managedByLabel]: manager },
    },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  };
}

export function familyOf(address: string): 'IPv4' | 'IPv6' {
  return tryParseIp(address)?.family === 6 ? 'IPv6' : 'IPv4';
}

export function isManaged({ metadata }: IPAddress): boolean {
  return metadata.labels?.[managedByLabel] === manager;
}

export function refersToService({ spec }: IPAddress): boolean {
  const parent = spec?.parentRef;
  return parent?.resource === 'services' && (parent.group ?? '') === '';
}

export function isFor(address: IPAddress, { namespace, name }: ServiceName): boolean {
  const parent = address.spec?.parentRef;
  return refersToService(address) && parent?.namespace === namespace && parent.name === name;
}
