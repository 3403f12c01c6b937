import { resources } from '#client/mod.ts';
import type { APIService, APIServiceCondition, EndpointSlice, Service } from '#schema/types.ts';
import type { ObjectReader } from '../authz/object-reader.ts';

/** What a check of an APIService came to. */
export interface Availability {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export const localAvailability: Availability = {
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
};
export const passedAvailability: Availability = {
  status: 'True',
  reason: 'Passed',
  message: 'all checks passed',
};

function unavailable(reason: string, message: string): Availability {
  return { status: 'False', reason, message };
}

/** Availability by discovery: the server behind the Service did not answer as it should. */
export function failedDiscovery(message: string): Availability {
  return unavailable('FailedDiscoveryCheck', message);
}

/**
 * What the objects of the cluster say about the Service behind an APIService, with upstream's
 * reasons and texts; undefined when there is something that can be asked.
 */
export function checkService(
  reader: ObjectReader,
  apiService: APIService,
): Availability | undefined {
  const { name = '', namespace = '', port = 443 } = apiService.spec?.service ?? {};
  const named = `service/${name} in ${JSON.stringify(namespace)}`;
  const service = reader.get<Service>(resources.services, namespace, name);
  if (service === undefined) return unavailable('ServiceNotFound', `${named} is not present`);
  // Services that are no cluster address are somewhere else, where nothing can be looked up.
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined;
  const servicePort = service.spec?.ports?.find((one) => one.port === port);
  if (servicePort === undefined) {
    return unavailable('ServicePortError', `${named} is not listening on port ${port}`);
  }
  const slices = reader
    .list<EndpointSlice>(resources.endpointSlices, namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
  if (slices.length === 0) {
    return unavailable('EndpointsNotFound', `cannot find endpointslices for ${named}`);
  }
  const portName = servicePort.name ?? '';
  if (slices.some((slice) => hasReady(slice, portName))) return undefined;
  return unavailable(
    'MissingEndpoints',
    `endpointslices for ${named} have no addresses with port name ${JSON.stringify(portName)}`,
  );
}

function hasReady(slice: EndpointSlice, portName: string): boolean {
  if (slice.ports?.some(({ name }) => (name ?? '') === portName) !== true) return false;
  return (slice.endpoints ?? []).some(
    ({ addresses, conditions }) => addresses.length > 0 && conditions?.ready !== false,
  );
}

/** The conditions with this availability in them; undefined when they say it already. */
export function withAvailability(
  service: APIService,
  found: Availability,
  now: string,
): APIServiceCondition[] | undefined {
  const conditions = service.status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === 'Available');
  const isSame =
    before?.status === found.status &&
    before.reason === found.reason &&
    before.message === found.message;
  if (isSame) return undefined;
  const lastTransitionTime =
    before?.status === found.status ? (before.lastTransitionTime ?? now) : now;
  const condition: APIServiceCondition = { ...found, type: 'Available', lastTransitionTime };
  return [...conditions.filter(({ type }) => type !== 'Available'), condition];
}
