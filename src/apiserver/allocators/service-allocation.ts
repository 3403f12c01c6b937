import { formatCidr, parseCidr } from '#base/cidr.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { IPAddress, Service } from '#schema/types.ts';
import type { Backend } from '#store/mod.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import type { KindHooks, Undo } from '../kinds/kind-hooks.ts';
import { createAddressAllocator } from './address-allocator.ts';
import { createAllocatorMeter } from './allocator-meter.ts';
import type { AllocatorCounts } from './allocator-meter.ts';
import { isManaged, serviceNameOf } from './ip-address-object.ts';
import { dropTypeDependentFields, keepAssigned, linkClusterIps } from './linked-fields.ts';
import { releasePorts, startPortOperation } from './port-operation.ts';
import type { PortRange } from './port-range.ts';
import { createPortRepair } from './port-repair.ts';
import { Reservation } from './reservation.ts';
import { addressesOf, allocateAddresses } from './service-addresses.ts';
import { deleteEndpoints } from './service-endpoints.ts';
import { fillFamilies } from './service-families.ts';
import { allocatePorts, portsOf } from './service-ports.ts';
import { createServiceRanges } from './service-ranges.ts';
import type { ServiceRanges } from './service-ranges.ts';
import { createStoredPorts } from './stored-ports.ts';
import type { StoredPorts } from './stored-ports.ts';

/** Time between two looks at the node ports, as upstream. */
const repairMs = 3 * 60_000;

export interface ServiceAllocationOptions {
  readonly reader: ObjectReader;
  /** Creates and deletes IPAddresses. */
  readonly client: Client;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: MetricRegistry | undefined;
  /** --service-cluster-ip-range: one, or one of each family; says which families there are. */
  readonly serviceCidrs: readonly string[];
  readonly nodePorts?: PortRange | undefined;
}

/** Hooks of the kind Service. */
export interface ServiceAllocation {
  readonly hooks: Required<
    Pick<KindHooks, 'beforeCreate' | 'beforeUpdate' | 'afterWrite' | 'afterDelete'>
  >;
  /**
   * Compares the stored node ports with the Services at once and now and then, until the signal is
   * aborted. Every server does; events tell users what it finds.
   */
  keepPorts(options: { recorder: EventRecorder; signal: AbortSignal }): void;
  close(): void;
}

/**
 * Cluster IPs, node ports and health check ports, which all servers of a datastore share: an
 * address is taken by its IPAddress, a port in the stored set. What a write takes is given back
 * when the write fails (the returned undo); what it no longer needs once the change is stored.
 */
export function createServiceAllocation(options: ServiceAllocationOptions): ServiceAllocation {
  const { reader, client, backend, clock, random, log } = options;
  const range = options.nodePorts ?? { from: 30_000, to: 32_767 };
  const ranges = createServiceRanges(reader);
  const services = (): readonly Service[] => reader.list<Service>(resources.services);
  const rebuild = (): number[] => services().flatMap(portsOf);
  const ports = createStoredPorts({ backend, range, random, rebuild });
  const counts = countsOf(reader, ranges, ports);
  const metrics = options.metrics ?? new MetricRegistry();
  const meter = createAllocatorMeter({ metrics, clock, counts });
  const allocator = createAddressAllocator({ reader, client, ranges, random, meter, log });
  const families = options.serviceCidrs.map((cidr) =>
    parseCidr(cidr).family === 6 ? 'IPv6' : 'IPv4',
  );

  async function reserve(
    service: Service,
    old: Service | undefined,
    dryRun: boolean,
  ): Promise<Undo> {
    if (old !== undefined) keepAssigned(service, old);
    linkClusterIps(service, old);
    fillFamilies(service, old, families);
    const reservation = new Reservation();
    try {
      await allocateAddresses({ allocator, reservation, dryRun }, service, old);
      const operation = startPortOperation({ ports, meter, reservation, dryRun, log });
      await allocatePorts(operation, service, old);
    } catch (error) {
      await reservation.giveUp();
      throw error;
    }
    if (old !== undefined) dropTypeDependentFields(service, old);
    return () => reservation.giveUp();
  }

  /** Gives back what `service` held and `next` no longer holds. */
  async function release(service: Service, next: Service | undefined): Promise<void> {
    const kept = new Set<string | number>(
      next === undefined ? [] : [...addressesOf(next), ...portsOf(next)],
    );
    const owner = serviceNameOf(service);
    const addresses = addressesOf(service).filter((address) => !kept.has(address));
    const gone = portsOf(service).filter((port) => !kept.has(port));
    await Promise.all([
      ...addresses.map((address) => allocator.release(address, owner)),
      releasePorts(ports, gone, log),
    ]);
  }

  return {
    hooks: {
      beforeCreate: (object, scope) =>
        scope.subresource === '' ? reserve(asService(object), undefined, scope.dryRun) : undefined,
      beforeUpdate(object, old, scope) {
        if (scope.subresource !== '') return undefined;
        return reserve(asService(object), asService(old), scope.dryRun);
      },
      async afterWrite(object, old) {
        if (old !== undefined) await release(asService(old), asService(object));
      },
      async afterDelete(object) {
        const service = asService(object);
        const endpoints = deleteEndpoints(client, serviceNameOf(service), log);
        await Promise.all([endpoints, release(service, undefined)]);
      },
    },
    keepPorts({ recorder, signal }) {
      const repair = createPortRepair({ services, ports, range, random, recorder, log });
      void repeat(() => repair.run(), { clock, signal });
    },
    close: () => ranges.close(),
  };
}

async function repeat(
  work: () => Promise<void>,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await work();
    await clock.sleep(repairMs, signal).catch(() => undefined);
  }
}

function asService(object: UnknownObject): Service {
  return object;
}

function countsOf(
  reader: ObjectReader,
  ranges: ServiceRanges,
  ports: StoredPorts,
): AllocatorCounts {
  return {
    *addresses() {
      const addresses = reader.list<IPAddress>(resources.ipAddresses).filter(isManaged);
      for (const range of [...ranges.ready(4), ...ranges.ready(6)]) {
        const taken = addresses.filter(({ metadata }) => range.hasText(metadata.name)).length;
        const free = Math.max(0, range.size - taken);
        yield { cidr: formatCidr(range.cidr), taken, free };
      }
    },
    ports() {
      const { known } = ports;
      return known && { taken: known.takenCount, free: known.freeCount };
    },
  };
}
