import type { Service, ServiceSpec } from '#schema/types.ts';

import { sameList } from './service-families.ts';
import { hasNodePorts, needsHealthCheck } from './service-ports.ts';

/**
 * Brings clusterIP and clusterIPs together as upstream: clients that know only the older field set
 * that one, and what they leave alone follows.
 */
export function linkClusterIps(service: Service, old: Service | undefined): void {
  const spec = (service.spec ??= {});
  const address = spec.clusterIP ?? '';
  if (old === undefined) {
    if (address !== '' && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [address];
    return;
  }
  const before = old.spec?.clusterIP ?? '';
  if (!sameList(spec.clusterIPs, old.spec?.clusterIPs)) return;
  if (before !== '' && address === '') delete spec.clusterIPs;
  else if (before !== address) spec.clusterIPs = [address];
}

/**
 * Clears what a change of type makes meaningless, where the client left it as it was: what it
 * changed as well is left for validation to refuse.
 */
export function dropTypeDependentFields(service: Service, old: Service): void {
  const spec = (service.spec ??= {});
  const oldSpec = old.spec ?? {};
  if (oldSpec.type !== 'ExternalName' && spec.type === 'ExternalName') dropAddresses(spec, oldSpec);
  if (hasNodePorts(old) && !hasNodePorts(service)) dropNodePorts(spec, oldSpec);
  if (needsHealthCheck(old) && !needsHealthCheck(service)) {
    dropIfSame(spec, oldSpec, 'healthCheckNodePort');
  }
  if (oldSpec.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    dropIfSame(spec, oldSpec, 'allocateLoadBalancerNodePorts');
    dropIfSame(spec, oldSpec, 'loadBalancerClass');
    if (service.status?.loadBalancer !== undefined) {
      service.status = { ...service.status, loadBalancer: {} };
    }
  }
  if (hasTrafficPolicy(old) && !hasTrafficPolicy(service)) {
    dropIfSame(spec, oldSpec, 'externalTrafficPolicy');
  }
}

/** Whether it is reached from outside, so that externalTrafficPolicy means something. */
function hasTrafficPolicy(service: Service): boolean {
  const { type, externalIPs = [] } = service.spec ?? {};
  return hasNodePorts(service) || (type === 'ClusterIP' && externalIPs.length > 0);
}

function dropIfSame(spec: ServiceSpec, old: ServiceSpec, field: keyof ServiceSpec): void {
  if (spec[field] === old[field]) delete spec[field];
}

/** A service that becomes a name only has no address; what an old client sent back is dropped. */
function dropAddresses(spec: ServiceSpec, old: ServiceSpec): void {
  if (sameList(spec.clusterIPs, old.clusterIPs)) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  if (sameList(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
  if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
}

/** Only when the node ports as a whole are those of before. */
function dropNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const own = nodePortsOf(spec);
  const before = nodePortsOf(old);
  if (own.size !== before.size || ![...own].every((port) => before.has(port))) return;
  for (const port of spec.ports ?? []) delete port.nodePort;
}

/** What an update leaves out of the values that the server chose stays as it is, as upstream. */
export function keepAssigned(service: Service, old: Service): void {
  const { spec, oldSpec } = { spec: (service.spec ??= {}), oldSpec: old.spec ?? {} };
  if (spec.type !== 'ExternalName' && oldSpec.type !== 'ExternalName') {
    if ((spec.clusterIP ?? '') === '') setOrDelete(spec, 'clusterIP', oldSpec.clusterIP);
    if ((spec.clusterIPs ?? []).length === 0) {
      setOrDelete(spec, 'clusterIPs', oldSpec.clusterIPs);
    }
  }
  if (hasNodePorts(service) && hasNodePorts(old)) keepNodePorts(spec, oldSpec);
  if (!needsHealthCheck(service) || !needsHealthCheck(old)) return;
  if ((spec.healthCheckNodePort ?? 0) === 0) {
    setOrDelete(spec, 'healthCheckNodePort', oldSpec.healthCheckNodePort);
  }
}

/** Ports are known by their names; a number that another port uses already is not used twice. */
function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const before = nodePortsOf(old);
  const used = new Set([...nodePortsOf(spec)].filter((port) => before.has(port)));
  const byName = new Map((old.ports ?? []).map((port) => [port.name ?? '', port.nodePort ?? 0]));
  for (const port of spec.ports ?? []) {
    const nodePort = byName.get(port.name ?? '') ?? 0;
    if ((port.nodePort ?? 0) !== 0 || nodePort === 0 || used.has(nodePort)) continue;
    port.nodePort = nodePort;
    used.add(nodePort);
  }
}

function nodePortsOf({ ports = [] }: ServiceSpec): Set<number> {
  const numbers = new Set(ports.map(({ nodePort = 0 }) => nodePort));
  numbers.delete(0);
  return numbers;
}

function setOrDelete<K extends keyof ServiceSpec>(
  spec: ServiceSpec,
  field: K,
  value: ServiceSpec[K],
): void {
  if (value === undefined) delete spec[field];
  else spec[field] = value;
}
