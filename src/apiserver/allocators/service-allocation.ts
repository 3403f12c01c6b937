import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { Service } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import type { KindHooks, Undo } from '../kinds/kind-hooks.ts';
import { createIpAllocator } from './ip-allocator.ts';
import type { Pools } from './pools.ts';
import { dropTypeDependentFields, linkClusterIps } from './linked-fields.ts';
import { createPortAllocator } from './port-allocator.ts';
import { Reservation } from './reservation.ts';
import { allocateAddresses } from './service-addresses.ts';
import { fillFamilies } from './service-families.ts';
import { allocatePorts } from './service-ports.ts';
import { StoredServices } from './stored-services.ts';

export interface ServiceAllocationOptions {
  readonly reader: ObjectReader;
  readonly random: Random;
  readonly log: Logger;
  /** --service-cluster-ip-range: one, or one of each family. */
  readonly serviceCidrs: readonly string[];
  readonly nodePorts?: { from: number; to: number } | undefined;
}

/** Hooks of the kind Service; what is given back needs none, the pools follow the stored services. */
export interface ServiceAllocation extends Required<
  Pick<KindHooks, 'beforeCreate' | 'beforeUpdate'>
> {
  /** Logs and returns what is wrong with stored services: call it now and then, as upstream. */
  check(): readonly string[];
  close(): void;
}

/**
 * Cluster IPs, node ports and health check ports. What a write takes is given back when the write
 * fails (the returned undo); what it no longer needs is given back only when the change is in the
 * cache, so that nobody else can take it in between.
 */
export function createServiceAllocation(options: ServiceAllocationOptions): ServiceAllocation {
  const { random } = options;
  const allocators = options.serviceCidrs.map((cidr) => createIpAllocator({ cidr, random }));
  const pools: Pools = {
    addresses: new Map(allocators.map((allocator) => [allocator.family, allocator])),
    ports: createPortAllocator({
      range: options.nodePorts ?? { from: 30_000, to: 32_767 },
      random,
    }),
  };
  const stored = new StoredServices({ reader: options.reader, pools });
  const families = allocators.map((allocator) => allocator.family);

  function reserve(service: Service, old: Service | undefined): Undo {
    linkClusterIps(service, old);
    if (old !== undefined) {
      keepAssigned(service, old);
      dropTypeDependentFields(service, old);
    }
    fillFamilies(service, old, families);
    const reservation = new Reservation();
    try {
      allocateAddresses(pools, service, old, reservation);
      allocatePorts(pools.ports, service, old, reservation);
    } catch (error) {
      reservation.giveUp();
      throw error;
    }
    return () => reservation.giveUp();
  }

  return {
    beforeCreate: (object, scope) =>
      scope.subresource === '' ? reserve(asService(object), undefined) : undefined,
    beforeUpdate(object, old, scope) {
      if (scope.subresource !== '') return undefined;
      return reserve(asService(object), asService(old));
    },
    check() {
      const findings = stored.findings();
      for (const finding of findings) {
        options.log.warning('service allocation is wrong', { finding });
      }
      return findings;
    },
    close: () => stored.close(),
  };
}

function asService(object: UnknownObject): Service {
  return object;
}

/** An update that leaves out what the server chose means the same values, as upstream. */
function keepAssigned(service: Service, old: Service): void {
  const { spec, oldSpec } = { spec: (service.spec ??= {}), oldSpec: old.spec ?? {} };
  if (spec.type === 'ExternalName' || oldSpec.type === 'ExternalName') return;
  const isUnset = (spec.clusterIP ?? '') === '' && (spec.clusterIPs ?? []).length === 0;
  if (isUnset && oldSpec.clusterIP !== undefined) {
    spec.clusterIP = oldSpec.clusterIP;
    spec.clusterIPs = oldSpec.clusterIPs;
  }
  const needsPorts = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
  const hadPorts = oldSpec.type === 'NodePort' || oldSpec.type === 'LoadBalancer';
  if (needsPorts && hadPorts) {
    const used = new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0));
    for (const port of spec.ports ?? []) {
      const same = (oldSpec.ports ?? []).find(
        (other) => other.port === port.port && other.protocol === port.protocol,
      );
      const nodePort = same?.nodePort ?? 0;
      if ((port.nodePort ?? 0) === 0 && nodePort !== 0 && !used.has(nodePort)) {
        port.nodePort = nodePort;
      }
    }
  }
  if ((spec.healthCheckNodePort ?? 0) === 0 && (oldSpec.healthCheckNodePort ?? 0) !== 0) {
    spec.healthCheckNodePort = oldSpec.healthCheckNodePort;
  }
}
