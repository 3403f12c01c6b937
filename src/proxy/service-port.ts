import type { EndpointSlice, Service } from '#schema/types.ts';

export type IpFamily = 4 | 6;
export type Protocol = 'tcp' | 'udp' | 'sctp';

/** Where one service port leads to. */
export interface ServiceEndpoint {
  readonly ip: string;
  readonly port: number;
  readonly isLocal: boolean;
  readonly isReady: boolean;
  /** Takes traffic although it terminates: used when nothing is ready. */
  readonly isServing: boolean;
  readonly isTerminating: boolean;
}

/** One port of a Service with its endpoints, for one IP family. */
export interface ServicePort {
  /** `ns/name:port`, or `ns/name` for a port without a name. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly clusterIp: string;
  readonly port: number;
  /** 0 when there is none. */
  readonly nodePort: number;
  readonly externalIps: readonly string[];
  readonly loadBalancerIps: readonly string[];
  readonly loadBalancerSourceRanges: readonly string[];
  /** Seconds of client affinity, undefined for none. */
  readonly affinitySeconds: number | undefined;
  readonly isExternalLocal: boolean;
  readonly isInternalLocal: boolean;
  readonly endpoints: readonly ServiceEndpoint[];
}

const proxyNameLabel = 'service.kubernetes.io/service-proxy-name';
const headlessLabel = 'service.kubernetes.io/headless';
const defaultAffinitySeconds = 10_800;

/** Whether this Service is the proxy's business at all. */
export function isProxied(service: Service): boolean {
  const labels = service.metadata.labels ?? {};
  if (labels[proxyNameLabel] !== undefined || labels[headlessLabel] !== undefined) return false;
  const clusterIp = service.spec?.clusterIP ?? '';
  return clusterIp !== '' && clusterIp !== 'None' && service.spec?.type !== 'ExternalName';
}

function familyOf(ip: string): IpFamily {
  return ip.includes(':') ? 6 : 4;
}

/** The ports of a Service in one IP family; empty when it has no address there. */
export function servicePorts(
  service: Service,
  slices: readonly EndpointSlice[],
  family: IpFamily,
  nodeName: string,
): ServicePort[] {
  const spec = service.spec;
  if (spec === undefined || !isProxied(service)) return [];
  const clusterIp = (spec.clusterIPs ?? [spec.clusterIP ?? '']).find(
    (ip) => familyOf(ip) === family,
  );
  if (clusterIp === undefined) return [];
  const ofFamily = (ips: readonly string[]): string[] =>
    ips.filter((ip) => ip !== '' && familyOf(ip) === family);
  const key = `${service.metadata.namespace ?? ''}/${service.metadata.name}`;
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  return (spec.ports ?? []).map((port) => ({
    name: (port.name ?? '') === '' ? key : `${key}:${port.name ?? ''}`,
    protocol: (port.protocol ?? 'TCP').toLowerCase() as Protocol,
    clusterIp,
    port: port.port,
    nodePort: port.nodePort ?? 0,
    externalIps: ofFamily(spec.externalIPs ?? []),
    loadBalancerIps: ofFamily(
      ingress.filter(({ ipMode }) => ipMode !== 'Proxy').map(({ ip }) => ip ?? ''),
    ),
    loadBalancerSourceRanges: ofFamily(spec.loadBalancerSourceRanges ?? []),
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP'
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds)
        : undefined,
    isExternalLocal: spec.externalTrafficPolicy === 'Local',
    isInternalLocal: spec.internalTrafficPolicy === 'Local',
    endpoints: endpointsOf(slices, port.name ?? '', family, nodeName),
  }));
}

function endpointsOf(
  slices: readonly EndpointSlice[],
  portName: string,
  family: IpFamily,
  nodeName: string,
): ServiceEndpoint[] {
  const wantedType = family === 4 ? 'IPv4' : 'IPv6';
  const byAddress = new Map<string, ServiceEndpoint>();
  for (const slice of slices) {
    if (slice.addressType !== wantedType) continue;
    const port = slice.ports?.find(({ name }) => (name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const { addresses, conditions, nodeName: endpointNode } of slice.endpoints ?? []) {
      const [ip] = addresses;
      if (ip === undefined) continue;
      const isReady = conditions?.ready !== false;
      byAddress.set(`${ip}:${port}`, {
        ip,
        port,
        isLocal: endpointNode === nodeName,
        isReady,
        isServing: conditions?.serving ?? isReady,
        isTerminating: conditions?.terminating === true,
      });
    }
  }
  // A stable order keeps rules, and with them the sync, unchanged.
  return [...byAddress.values()].sort((a, b) =>
    a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1,
  );
}

/** Ready endpoints, or the serving ones that terminate when nothing is ready. */
export function usableEndpoints(endpoints: readonly ServiceEndpoint[]): readonly ServiceEndpoint[] {
  const ready = endpoints.filter(({ isReady }) => isReady);
  if (ready.length > 0) return ready;
  return endpoints.filter(({ isServing, isTerminating }) => isServing && isTerminating);
}
