import { hasReason } from '#base/api-status-error.ts';
import { tryParseIp } from '#base/cidr.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import type { Client, InformerFactory } from '#client/mod.ts';
import type { GroupVersionResource } from '#schema/mod.ts';
import type { IPAddress, Service } from '#schema/types.ts';

const ipAddresses: GroupVersionResource = {
  group: 'networking.k8s.io',
  version: 'v1',
  resource: 'ipaddresses',
};
const managerLabel = 'ipaddress.kubernetes.io/managed-by';
const familyLabel = 'ipaddress.kubernetes.io/ip-family';
const manager = 'ipallocator.k8s.io';

/**
 * Keeps an IPAddress for each cluster IP of a Service, as upstream's allocator and its repair do:
 * those of Services that are gone are removed. Runs until the signal is aborted. The addresses
 * themselves are given out before a Service is stored, without these objects.
 */
export function keepServiceAddresses(options: {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { client, informers, signal } = options;
  const services = informers.informer<Service>(resources.services);
  const addresses = informers.informer<IPAddress>(ipAddresses);
  const owners = new Map<string, string>();
  const note = (service: Service): string[] => {
    const ips = clusterIpsOf(service);
    for (const ip of ips) owners.set(ip, keyOf(service));
    return ips;
  };
  const ownerOf = (ip: string): Service | undefined => {
    const service = services.get(owners.get(ip) ?? '');
    return service !== undefined && clusterIpsOf(service).includes(ip) ? service : undefined;
  };
  const loop = startControllerLoop({
    ...options,
    name: 'service-ip-repair',
    ready: Promise.all([services.synced(signal), addresses.synced(signal)]),
    async reconcile(ip) {
      const service = ownerOf(ip);
      const known = addresses.get(ip);
      if (service === undefined) {
        owners.delete(ip);
        if (known?.metadata.labels?.[managerLabel] === manager) await remove(client, known);
      } else if (known === undefined) await create(client, service, ip);
      else if (!isOf(known, service)) {
        await remove(client, known);
        await create(client, service, ip);
      }
    },
  });
  const enqueue = (service: Service): void => {
    for (const ip of note(service)) loop.queue.add(ip);
  };
  services.addHandler({
    onAdd: enqueue,
    onUpdate(old, service) {
      for (const ip of clusterIpsOf(old)) loop.queue.add(ip);
      enqueue(service);
    },
    onDelete(service) {
      for (const ip of clusterIpsOf(service)) loop.queue.add(ip);
    },
  });
  const check = ({ metadata }: IPAddress): void => loop.queue.add(metadata.name);
  addresses.addHandler({ onAdd: check, onUpdate: (_old, now) => check(now), onDelete: check });
  return loop.done;
}

function keyOf({ metadata }: Service): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function clusterIpsOf({ spec }: Service): string[] {
  if (spec?.type === 'ExternalName') return [];
  return (spec?.clusterIPs ?? []).filter((ip) => tryParseIp(ip) !== undefined);
}

function isOf({ spec }: IPAddress, { metadata }: Service): boolean {
  const parent = spec?.parentRef;
  return (
    parent?.resource === 'services' &&
    (parent.group ?? '') === '' &&
    parent.namespace === metadata.namespace &&
    parent.name === metadata.name
  );
}

async function create(client: Client, { metadata }: Service, ip: string): Promise<void> {
  const { name, namespace } = metadata;
  const family = tryParseIp(ip)?.family === 6 ? 'IPv6' : 'IPv4';
  const address: IPAddress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: ip, labels: { [familyLabel]: family, [managerLabel]: manager } },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  };
  try {
    await client.create(ipAddresses, address);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

async function remove(client: Client, { metadata }: IPAddress): Promise<void> {
  const { name, uid } = metadata;
  try {
    await client.delete(ipAddresses, name, uid === undefined ? {} : { preconditions: { uid } });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
