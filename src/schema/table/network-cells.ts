import type {
  Endpoints,
  EndpointSlice,
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  Service,
  ServiceCIDR,
} from '../generated/types.ts';
import type { Cell } from './cell-text.ts';
import {
  age,
  ingressAddresses,
  labelText,
  none,
  selectorText,
  someOf,
  unknown,
  unset,
} from './cell-text.ts';

const shownItems = 3;

function externalIp({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.length === 0 ? none : external.join(',');
    case 'LoadBalancer': {
      const balancer = ingressAddresses(status?.loadBalancer?.ingress);
      const all = [...(balancer === '' ? [] : [balancer]), ...external];
      return all.length === 0 ? '<pending>' : all.join(',');
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return unknown;
  }
}

function servicePorts({ spec }: Service): string {
  const ports = (spec?.ports ?? []).map(({ port, nodePort = 0, protocol = 'TCP' }) =>
    nodePort === 0 ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
  );
  return ports.length === 0 ? none : ports.join(',');
}

export function serviceCells(service: Service, nowMs: number): Cell[] {
  const { metadata, spec } = service;
  return [
    metadata.name,
    spec?.type ?? '',
    spec?.clusterIPs?.[0] ?? none,
    externalIp(service),
    servicePorts(service),
    age(metadata.creationTimestamp, nowMs),
    labelText(spec?.selector),
  ];
}

export function ingressCells({ metadata, spec, status }: Ingress, nowMs: number): Cell[] {
  const hosts = (spec?.rules ?? []).flatMap((rule) => rule.host || []);
  const isSecure = (spec?.tls?.length ?? 0) > 0;
  return [
    metadata.name,
    spec?.ingressClassName ?? none,
    hosts.length === 0 ? '*' : someOf(hosts, shownItems, ','),
    ingressAddresses(status?.loadBalancer?.ingress),
    isSecure ? '80, 443' : '80',
    age(metadata.creationTimestamp, nowMs),
  ];
}

export function ingressClassCells({ metadata, spec }: IngressClass, nowMs: number): Cell[] {
  const isDefault =
    metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true';
  const reference = spec?.parameters;
  const group = reference?.apiGroup === undefined ? '' : `.${reference.apiGroup}`;
  return [
    isDefault ? `${metadata.name} (default)` : metadata.name,
    spec?.controller ?? '',
    reference === undefined ? none : `${reference.kind}${group}/${reference.name}`,
    age(metadata.creationTimestamp, nowMs),
  ];
}

function endpointAddresses({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return none;
  const texts: string[] = [];
  for (const { addresses = [], ports = [] } of subsets) {
    if (ports.length === 0) texts.push(...addresses.map(({ ip }) => ip));
    for (const { port } of ports) {
      for (const { ip } of addresses) texts.push(`${ip.includes(':') ? `[${ip}]` : ip}:${port}`);
    }
  }
  return someOf(texts, shownItems, ',');
}

export function endpointsCells(endpoints: Endpoints, nowMs: number): Cell[] {
  const { name, creationTimestamp } = endpoints.metadata;
  return [name, endpointAddresses(endpoints), age(creationTimestamp, nowMs)];
}

export function endpointSliceCells(slice: EndpointSlice, nowMs: number): Cell[] {
  const ports = (slice.ports ?? []).map(({ port, name }) => String(port ?? (name || '*')));
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  return [
    slice.metadata.name,
    slice.addressType,
    ports.length === 0 ? unset : someOf(ports, shownItems, ','),
    addresses.length === 0 ? unset : someOf(addresses, shownItems, ','),
    age(slice.metadata.creationTimestamp, nowMs),
  ];
}

export function networkPolicyCells({ metadata, spec }: NetworkPolicy, nowMs: number): Cell[] {
  return [metadata.name, selectorText(spec?.podSelector), age(metadata.creationTimestamp, nowMs)];
}

export function serviceCidrCells({ metadata, spec }: ServiceCIDR, nowMs: number): Cell[] {
  return [metadata.name, (spec?.cidrs ?? []).join(','), age(metadata.creationTimestamp, nowMs)];
}

export function ipAddressCells({ metadata, spec }: IPAddress): Cell[] {
  const parent = spec?.parentRef;
  if (parent === undefined) return [metadata.name, none];
  const resource = [parent.resource, parent.group]
    .filter((part) => part)
    .join('.')
    .toLowerCase();
  const path = [resource, parent.namespace, parent.name].filter((part) => part);
  return [metadata.name, path.join('/')];
}
