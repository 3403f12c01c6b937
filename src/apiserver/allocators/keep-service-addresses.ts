import { hasReason } from '#base/api-status-error.ts';
import { tryParseIp } from '#base/cidr.ts';
import type { IpAddress } from '#base/cidr.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createEventRecorder, resources, startControllerLoop } from '#client/mod.ts';
import type {
  Client,
  EventRecorder,
  Informer,
  InformerFactory,
  ReconcileResult,
} from '#client/mod.ts';
import type { IPAddress, Service, ServiceCIDR } from '#schema/types.ts';

import {
  familyLabel,
  familyOf,
  ipAddressFor,
  isFor,
  isManaged,
  refersToService,
  serviceNameOf,
} from './ip-address-object.ts';
import type { ServiceName } from './ip-address-object.ts';
import { rangesOf } from './service-ranges.ts';

/** An IPAddress comes before its Service: so long the Service may still be on its way. */
const graceMs = 60_000;
const action = 'ClusterIPAllocation';
const addressAction = 'IPAddressAllocation';

interface Parts {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: EventRecorder;
  readonly services: Informer<Service>;
  readonly addresses: Informer<IPAddress>;
  readonly ranges: Informer<ServiceCIDR>;
}

/**
 * Brings IPAddresses in line with the cluster IPs of Services, as upstream's repair does: creates
 * what is missing, removes what its Service does not hold, and tells users what it cannot mend.
 * Every server does so. Runs until the signal is aborted.
 */
export async function keepServiceAddresses(options: {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { informers, signal } = options;
  const component = 'ipallocator-repair-controller';
  const parts: Parts = {
    ...options,
    recorder: createEventRecorder({ ...options, component }),
    services: informers.informer<Service>(resources.services),
    addresses: informers.informer<IPAddress>(resources.ipAddresses),
    ranges: informers.informer<ServiceCIDR>(resources.serviceCidrs),
  };
  const { services, addresses, ranges } = parts;
  const ready = Promise.all([services, addresses, ranges].map((one) => one.synced(signal)));
  const serviceLoop = startControllerLoop({
    ...options,
    name: 'service-ip-repair',
    ready,
    reconcile: (key) => checkService(parts, key),
  });
  const addressLoop = startControllerLoop({
    ...options,
    name: 'ip-address-repair',
    ready,
    reconcile: (name) => checkAddress(parts, name),
  });
  const addAddress = ({ metadata }: IPAddress): void => addressLoop.queue.add(metadata.name);
  const addService = (service: Service): void => {
    const { namespace, name } = serviceNameOf(service);
    serviceLoop.queue.add(`${namespace}/${name}`);
  };
  addresses.addHandler({
    onAdd: addAddress,
    onUpdate: (_old, next) => addAddress(next),
    onDelete(address) {
      const parent = address.spec?.parentRef;
      if (!isManaged(address) || !refersToService(address)) return;
      serviceLoop.queue.add(`${parent?.namespace ?? ''}/${parent?.name ?? ''}`);
    },
  });
  const addAddressesOf = (service: Service): void => {
    for (const ip of clusterIpsOf(service)) addressLoop.queue.add(ip);
  };
  services.addHandler({
    onAdd: addService,
    onUpdate(old, next) {
      addService(next);
      addAddressesOf(old);
    },
    onDelete: addAddressesOf,
  });
  // The default range comes after the first Services when a datastore of before is opened.
  ranges.addHandler({ onAdd: () => services.list().forEach(addService) });
  await Promise.all([serviceLoop.done, addressLoop.done]);
}

/** Each of its cluster IPs has an IPAddress that refers to it. */
async function checkService(parts: Parts, key: string): Promise<void> {
  const service = parts.services.get(key);
  if (service === undefined || parts.ranges.list().length === 0) return;
  for (const ip of clusterIpsOf(service)) await checkClusterIp(parts, service, ip);
}

async function checkClusterIp(parts: Parts, service: Service, ip: string): Promise<void> {
  const { addresses, services } = parts;
  const warn = (reason: string, message: string): void => {
    parts.log.warning(message, { reason, service: key });
    parts.recorder.event(service, 'Warning', reason, message, { action });
  };
  const owner = serviceNameOf(service);
  const key = `${owner.namespace}/${owner.name}`;
  const address = tryParseIp(ip);
  if (address === undefined) {
    const message = `Cluster IP ${ip} is not a valid IP; please recreate Service`;
    parts.recorder.event(service, 'Warning', 'ClusterIPNotValid', message, {
      action: 'ClusterIPValidation',
    });
    return;
  }
  const family = familyOf(ip);
  if (!isInRange(parts, address)) {
    const where = `Cluster IP [${family}]: ${ip}`;
    const message = `${where} is not within any configured Service CIDR; please recreate service`;
    warn('ClusterIPOutOfRange', message);
    return;
  }
  const found = addresses.get(ip) ?? (await newest(parts, ip));
  if (found === undefined) {
    // The address may be gone because the Service is, which the informer has not seen yet.
    if (!(await isHeld(parts, owner, ip))) return;
    warn('ClusterIPNotAllocated', `Cluster IP [${family}]: ${ip} is not allocated; repairing`);
    await create(parts, service, ip);
    return;
  }
  const wrongReference = `the ClusterIP [${family}]: ${ip} for Service ${key} has a wrong reference; repairing`;
  const parent = found.spec?.parentRef;
  const other = services.get(`${parent?.namespace ?? ''}/${parent?.name ?? ''}`);
  if (!refersToService(found) || (!isFor(found, owner) && other === undefined)) {
    // Another Service may hold it by now.
    if (!(await isHeld(parts, owner, ip))) return;
    warn('ClusterIPNotAllocated', wrongReference);
    await recreate(parts, service, ip);
    return;
  }
  if (!isFor(found, owner) && other?.spec?.clusterIPs?.includes(ip) === true) {
    const where = `Cluster IP [${family}]:${ip}`;
    const message = `${where} was assigned to multiple services; please recreate service`;
    warn('ClusterIPAlreadyAllocated', message);
  }
  if (!isManaged(found) || found.metadata.labels?.[familyLabel] !== family) {
    await recreate(parts, service, ip);
  }
}

/** An IPAddress of the allocator has a Service that holds it. */
async function checkAddress(parts: Parts, name: string): Promise<ReconcileResult | void> {
  const { clock, services, addresses } = parts;
  const address = addresses.get(name);
  if (address === undefined || !isManaged(address)) return undefined;
  const warn = (reason: string, message: string): void => {
    parts.log.warning(message, { reason, address: name });
    parts.recorder.event(address, 'Warning', reason, message, { action: addressAction });
  };
  const parent = address.spec?.parentRef;
  if (!refersToService(address)) {
    const message = `IPAddress ${name} appears to have been modified, not referencing a Service ${JSON.stringify(parent)}: cleaning up`;
    warn('IPAddressNotAllocated', message);
    await remove(parts, address);
    return undefined;
  }
  const key = `${parent?.namespace ?? ''}/${parent?.name ?? ''}`;
  const service = services.get(key);
  if (service?.spec?.clusterIPs?.includes(name) === true) return undefined;
  // A new Service, and a second address of an old one, come after their IPAddress.
  const ageMs = clock.now() - Date.parse(address.metadata.creationTimestamp ?? '');
  if (ageMs <= graceMs) return { requeueAfterMs: graceMs - ageMs + 1000 };
  if (service === undefined) {
    const message = `IPAddress: ${name} for Service ${key} appears to have leaked: cleaning up`;
    warn('IPAddressNotAllocated', message);
    await remove(parts, address);
    return undefined;
  }
  const message = `IPAddress: ${name} for Service ${key} has a wrong reference; cleaning up`;
  warn('IPAddressWrongReference', message);
  await remove(parts, address);
  return undefined;
}

function isInRange({ ranges }: Parts, address: IpAddress): boolean {
  return rangesOf(ranges.list()).some(({ range }) => range.has(address));
}

function clusterIpsOf({ spec }: Service): string[] {
  if (spec?.type === 'ExternalName') return [];
  return (spec?.clusterIPs ?? []).filter((ip) => ip !== 'None' && ip !== '');
}

async function isHeld(
  { client }: Parts,
  { namespace, name }: ServiceName,
  ip: string,
): Promise<boolean> {
  try {
    const service = await client.get<Service>(resources.services, name, { namespace });
    return clusterIpsOf(service).includes(ip);
  } catch (error) {
    if (hasReason(error, 'NotFound')) return false;
    throw error;
  }
}

/** Past the informer, which may not have seen what the allocator made just now. */
async function newest({ client }: Parts, ip: string): Promise<IPAddress | undefined> {
  try {
    return await client.get<IPAddress>(resources.ipAddresses, ip);
  } catch (error) {
    if (hasReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function create({ client }: Parts, service: Service, ip: string): Promise<void> {
  await client.create(resources.ipAddresses, ipAddressFor(ip, serviceNameOf(service)));
}

async function recreate(parts: Parts, service: Service, ip: string): Promise<void> {
  const found = await newest(parts, ip);
  if (found !== undefined) await remove(parts, found);
  await create(parts, service, ip);
}

async function remove({ client }: Parts, { metadata }: IPAddress): Promise<void> {
  const { name, uid } = metadata;
  try {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await client.delete(resources.ipAddresses, name, preconditions);
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
