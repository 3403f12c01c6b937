import type { DiscoveryV1EndpointPort, Endpoint, Node, Pod, Service } from '#schema/types.ts';
import { isDeleting, isPodReady } from '../pods/pod-state.ts';
import {
  canBeEndpoint,
  hostnameIn,
  podAddress,
  podReference,
} from '../service-pods/pod-address.ts';
import type { AddressType } from '../service-pods/pod-address.ts';
import { podPorts } from '../service-pods/service-ports.ts';
import type { PodPort } from '../service-pods/service-ports.ts';
import { wantsZoneHints } from './zone-hints.ts';

const zoneLabel = 'topology.kubernetes.io/zone';

/** Endpoints of one address family that have the same ports: what a slice can hold together. */
export interface EndpointGroup {
  readonly ports: DiscoveryV1EndpointPort[];
  readonly endpoints: Endpoint[];
}

/** Groups by `portsKey`. */
export function desiredEndpoints(
  service: Service,
  pods: readonly Pod[],
  type: AddressType,
  nodeOf: (name: string) => Node | undefined,
): Map<string, EndpointGroup> {
  const groups = new Map<string, EndpointGroup>();
  for (const pod of pods) {
    const address = podAddress(pod, type);
    if (address === undefined || !canBeEndpoint(pod)) continue;
    const ports = podPorts(pod, service.spec?.ports ?? []).map(slicePort);
    const key = portsKey(ports);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { ports, endpoints: [] }));
    const node = pod.spec?.nodeName === undefined ? undefined : nodeOf(pod.spec.nodeName);
    group.endpoints.push(endpointOf(service, pod, address, node));
  }
  return groups;
}

/** The same for ports that mean the same, in whatever order and with whatever defaults. */
export function portsKey(ports: readonly DiscoveryV1EndpointPort[]): string {
  const texts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) =>
    JSON.stringify([name, port, protocol, appProtocol]),
  );
  return texts.sort().join();
}

function slicePort({ name, port, protocol, appProtocol }: PodPort): DiscoveryV1EndpointPort {
  return { name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) };
}

function endpointOf(service: Service, pod: Pod, address: string, node: Node | undefined): Endpoint {
  const isServing = isPodReady(pod);
  const isTerminating = isDeleting(pod);
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  const isReady = publishAll || (isServing && !isTerminating);
  const hostname = hostnameIn(pod, service);
  const zone = node?.metadata.labels?.[zoneLabel];
  const { nodeName } = pod.spec ?? {};
  return {
    addresses: [address],
    conditions: { ready: isReady, serving: isServing, terminating: isTerminating },
    targetRef: podReference(pod),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hostname === undefined ? {} : { hostname }),
    ...hintsOf(service, zone, nodeName, isReady),
  };
}

/** Where traffic for this endpoint should come from, if the service prefers near ones. */
function hintsOf(
  service: Service,
  zone: string | undefined,
  nodeName: string | undefined,
  isReady: boolean,
): Pick<Endpoint, 'hints'> {
  const preference = service.spec?.trafficDistribution;
  if (preference === undefined || !isReady || wantsZoneHints(service)) return {};
  const forZones = zone === undefined ? undefined : [{ name: zone }];
  // A node may have no zone: its own endpoints are near all the same.
  const isNear = preference === 'PreferSameNode' && nodeName !== undefined;
  const forNodes = isNear ? [{ name: nodeName }] : undefined;
  if (forZones === undefined && forNodes === undefined) return {};
  return {
    hints: {
      ...(forZones === undefined ? {} : { forZones }),
      ...(forNodes === undefined ? {} : { forNodes }),
    },
  };
}
