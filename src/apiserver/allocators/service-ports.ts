import type { Service, ServicePort } from '#schema/types.ts';

import { internalError, invalid } from '../api-errors.ts';
import { AllocationError } from './allocation-error.ts';
import type { PortAllocator } from './port-allocator.ts';
import type { Reservation } from './reservation.ts';

const kind = { group: '', kind: 'Service' };

/** Node ports that a service holds, health check port included, each once. */
export function portsOf(service: Service): number[] {
  const ports = new Set<number>();
  if (hasNodePorts(service)) {
    for (const port of service.spec?.ports ?? []) ports.add(port.nodePort ?? 0);
  }
  if (needsHealthCheck(service)) ports.add(service.spec?.healthCheckNodePort ?? 0);
  ports.delete(0);
  return [...ports];
}

export function hasNodePorts(service: Service): boolean {
  return service.spec?.type === 'NodePort' || service.spec?.type === 'LoadBalancer';
}

/** A load balancer asks each node whether it has endpoints of the service. */
export function needsHealthCheck(service: Service): boolean {
  return service.spec?.type === 'LoadBalancer' && service.spec.externalTrafficPolicy === 'Local';
}

/**
 * Gives the service its node ports. A port number that the old service holds is kept; the same
 * service port over TCP and UDP shares one node port.
 */
export function allocatePorts(
  pool: PortAllocator,
  service: Service,
  old: Service | undefined,
  reservation: Reservation,
): void {
  const spec = (service.spec ??= {});
  const held = new Set(old === undefined ? [] : portsOf(old));
  const take = (port: number): void => {
    if (held.has(port)) return;
    pool.take(port);
    held.add(port);
    reservation.onGiveUp(() => pool.release(port));
  };
  const takeAny = (): number => {
    const port = pool.takeAny();
    held.add(port);
    reservation.onGiveUp(() => pool.release(port));
    return port;
  };
  if (hasNodePorts(service)) {
    allocateNodePorts(service, old === undefined, take, takeAny);
  } else if (old !== undefined && hasNodePorts(old)) {
    dropNodePorts(service, old);
  }
  if (needsHealthCheck(service)) {
    spec.healthCheckNodePort = healthCheckPort(spec.healthCheckNodePort ?? 0, take, takeAny);
  } else if (spec.healthCheckNodePort !== undefined && old !== undefined && needsHealthCheck(old)) {
    if (spec.healthCheckNodePort === old.spec?.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
}

function allocateNodePorts(
  service: Service,
  isNew: boolean,
  take: (port: number) => void,
  takeAny: () => number,
): void {
  const { spec } = service;
  const isAllocating = spec?.type === 'NodePort' || spec?.allocateLoadBalancerNodePorts !== false;
  const byServicePort = new Map<number, number>();
  const taken = new Set<number>();
  const ports = spec?.ports ?? [];
  for (const [index, port] of ports.entries()) {
    const asked = port.nodePort ?? 0;
    if (asked === 0 && !isAllocating) continue;
    // Only a new service lets its protocols share: later the ports may be in use already.
    const shared = isNew ? (byServicePort.get(port.port) ?? requested(ports, port.port)) : 0;
    const wanted = asked === 0 ? shared : asked;
    if (wanted === 0) {
      port.nodePort = anyPort(takeAny);
    } else {
      if (!taken.has(wanted)) takeAsked(service, index, wanted, take);
      port.nodePort = wanted;
    }
    taken.add(port.nodePort);
    if (!byServicePort.has(port.port)) byServicePort.set(port.port, port.nodePort);
  }
}

/** The first node port that the user gave for this service port; 0 for none. */
function requested(ports: readonly ServicePort[], servicePort: number): number {
  const found = ports.find((port) => port.port === servicePort && (port.nodePort ?? 0) !== 0);
  return found?.nodePort ?? 0;
}

function takeAsked(
  service: Service,
  index: number,
  port: number,
  take: (port: number) => void,
): void {
  try {
    take(port);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    throw invalid(kind, service.metadata.name, [
      {
        type: 'FieldValueInvalid',
        field: `spec.ports[${index}].nodePort`,
        message: `Invalid value: ${port}: ${error.message}`,
      },
    ]);
  }
}

function anyPort(takeAny: () => number): number {
  try {
    return takeAny();
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    throw internalError(`failed to allocate a nodePort: ${error.message}`);
  }
}

function healthCheckPort(
  asked: number,
  take: (port: number) => void,
  takeAny: () => number,
): number {
  try {
    if (asked === 0) return takeAny();
    take(asked);
    return asked;
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    const which =
      asked === 0
        ? 'failed to allocate a HealthCheck NodePort 0'
        : `failed to allocate requested HealthCheck NodePort ${asked}`;
    throw internalError(`${which}: ${error.message}`);
  }
}

/** A service that becomes ClusterIP or ExternalName loses the ports that it had. */
function dropNodePorts(service: Service, old: Service): void {
  const had = new Set(portsOf(old));
  for (const port of service.spec?.ports ?? []) {
    if (port.nodePort !== undefined && had.has(port.nodePort)) delete port.nodePort;
  }
}
