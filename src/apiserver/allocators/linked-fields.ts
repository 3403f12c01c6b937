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
