import type { Service, ServicePort } from '#schema/types.ts';

import { internalError, invalid, plainError } from '../api-errors.ts';
import { AllocationError } from './allocation-error.ts';
import type { PortOperation } from './port-operation.ts';

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
 * Gives the service its node ports and its health check port. What the old service holds is kept.
 */
export async function allocatePorts(
  operation: PortOperation,
  service: Service,
  old: Service | undefined,
): Promise<void> {
  if (hasNodePorts(service)) {
    if (old === undefined) await initNodePorts(operation, service);
    else await updateNodePorts(operation, service, old);
  }
  if (!needsHealthCheck(service) || (old !== undefined && needsHealthCheck(old))) return;
  const spec = (service.spec ??= {});
  spec.healthCheckNodePort = await healthCheckPort(operation, spec.healthCheckNodePort ?? 0);
}

function isAllocating({ spec }: Service): boolean {
  return spec?.type === 'NodePort' || spec?.allocateLoadBalancerNodePorts !== false;
}

/** The same service port over TCP and UDP shares one node port. */
async function initNodePorts(operation: PortOperation, service: Service): Promise<void> {
  const byServicePort = new Map<number, number>();
  const ports = service.spec?.ports ?? [];
  for (const [index, port] of ports.entries()) {
    const asked = port.nodePort ?? 0;
    if (asked === 0 && !isAllocating(service)) continue;
    const shared = byServicePort.get(port.port);
    if (shared === undefined) {
      const wanted = requested(ports, port.port);
      if (wanted === 0) port.nodePort = await anyPort(operation);
      else {
        await takeAsked(operation, service, index, wanted);
        port.nodePort = wanted;
      }
      byServicePort.set(port.port, port.nodePort);
    } else if (asked === 0) port.nodePort = shared;
    else if (asked !== shared) await takeAsked(operation, service, index, asked);
  }
}

/** Protocols of a changed service do not share by themselves: their ports may be in use already. */
async function updateNodePorts(
  operation: PortOperation,
  service: Service,
  old: Service,
): Promise<void> {
  const held = new Set(nodePortsOf(old));
  const seen = new Set<string>();
  for (const [index, port] of (service.spec?.ports ?? []).entries()) {
    const asked = port.nodePort ?? 0;
    if (asked === 0 && !isAllocating(service)) continue;
    if (asked === 0) port.nodePort = await anyPort(operation);
    else if (!held.has(asked)) {
      await takeAsked(operation, service, index, asked);
      held.add(asked);
    }
    const key = `{${port.protocol ?? 'TCP'} ${port.nodePort}}`;
    if (seen.has(key)) throw plainError(`duplicate nodePort: ${key}`);
    seen.add(key);
  }
}

/** Those of its ports, whatever its type says of them. */
function nodePortsOf({ spec }: Service): number[] {
  return (spec?.ports ?? []).flatMap(({ nodePort = 0 }) => (nodePort === 0 ? [] : [nodePort]));
}

/** The first node port that the user gave for this service port; 0 for none. */
function requested(ports: readonly ServicePort[], servicePort: number): number {
  const found = ports.find((port) => port.port === servicePort && (port.nodePort ?? 0) !== 0);
  return found?.nodePort ?? 0;
}

async function takeAsked(
  operation: PortOperation,
  service: Service,
  index: number,
  port: number,
): Promise<void> {
  try {
    await operation.take(port);
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

async function anyPort(operation: PortOperation): Promise<number> {
  try {
    return await operation.takeAny();
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    throw internalError(`failed to allocate a nodePort: ${error.message}`);
  }
}

async function healthCheckPort(operation: PortOperation, asked: number): Promise<number> {
  try {
    if (asked === 0) return await operation.takeAny();
    await operation.take(asked);
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
