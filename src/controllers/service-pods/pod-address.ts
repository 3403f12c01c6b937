import type { ObjectReference, Pod, Service } from '#schema/types.ts';
import { isPodFinished } from '../pods/pod-state.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** The pod's address of a family; a pod without one is no endpoint yet. */
export function podAddress(pod: Pod, type: AddressType): string | undefined {
  const { podIPs, podIP } = pod.status ?? {};
  const addresses = podIPs?.map(({ ip }) => ip) ?? (podIP === undefined ? [] : [podIP]);
  return addresses.find((ip) => ip.includes(':') === (type === 'IPv6'));
}

/** The families that a service has endpoints in. */
export function addressTypes(service: Service): AddressType[] {
  const families = service.spec?.ipFamilies ?? [];
  if (families.length > 0) return families as AddressType[];
  const { clusterIP = '' } = service.spec ?? {};
  return [clusterIP.includes(':') ? 'IPv6' : 'IPv4'];
}

/** The host name that DNS gives the pod within a headless service. */
export function hostnameIn(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  const isNamed = subdomain === service.metadata.name && (hostname ?? '') !== '';
  return isNamed && pod.metadata.namespace === service.metadata.namespace ? hostname : undefined;
}

export function podReference(pod: Pod): ObjectReference {
  const { namespace, name, uid } = pod.metadata;
  return { kind: 'Pod', namespace, name, uid };
}

/** Finished pods never serve again. */
export function canBeEndpoint(pod: Pod): boolean {
  return !isPodFinished(pod);
}

export function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None';
}

/** Whether objects of its endpoints are labelled as those of a service without an address. */
export function lacksAddress(service: Service): boolean {
  return (service.spec?.clusterIP ?? '') === '' || isHeadless(service);
}

/** Whether the endpoints of a service are made from pods at all. */
export function hasPodEndpoints(service: Service): boolean {
  const { selector, type } = service.spec ?? {};
  return type !== 'ExternalName' && selector !== undefined && Object.keys(selector).length > 0;
}
