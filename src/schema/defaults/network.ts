import type { DefaultHook } from './hooks.ts';
import type { Json } from './json.ts';
import { isEmpty, objectAt, objectsAt, setIfAbsent } from './json.ts';

function service(value: Json): void {
  const spec = objectAt(value, 'spec');
  if (spec === undefined) return;
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
  if (spec['sessionAffinity'] === 'ClientIP') clientIpTimeout(spec);
  for (const port of objectsAt(spec, 'ports')) {
    if (isEmpty(port['targetPort'])) port['targetPort'] = port['port'];
  }
  trafficPolicies(spec);
  if (spec['type'] !== 'LoadBalancer') return;
  setIfAbsent(spec, 'allocateLoadBalancerNodePorts', true);
  const balancer = objectAt(objectAt(value, 'status'), 'loadBalancer');
  for (const ingress of objectsAt(balancer, 'ingress')) {
    if (!isEmpty(ingress['ip'])) setIfAbsent(ingress, 'ipMode', 'VIP');
  }
}

function clientIpTimeout(spec: Json): void {
  const config = objectAt(spec, 'sessionAffinityConfig');
  if (objectAt(config, 'clientIP')?.['timeoutSeconds'] !== undefined) return;
  spec['sessionAffinityConfig'] = { clientIP: { timeoutSeconds: 10800 } };
}

function trafficPolicies(spec: Json): void {
  const type = spec['type'];
  const isClusterIp = type === 'ClusterIP';
  const isReachedFromOutside = type === 'NodePort' || type === 'LoadBalancer';
  if (isReachedFromOutside || (isClusterIp && !isEmpty(spec['externalIPs']))) {
    setIfAbsent(spec, 'externalTrafficPolicy', 'Cluster');
  }
  if (isReachedFromOutside || isClusterIp) setIfAbsent(spec, 'internalTrafficPolicy', 'Cluster');
}

function endpoints(value: Json): void {
  for (const subset of objectsAt(value, 'subsets')) {
    for (const port of objectsAt(subset, 'ports')) {
      if (isEmpty(port['protocol'])) port['protocol'] = 'TCP';
    }
  }
}

function endpointSlice(value: Json): void {
  for (const port of objectsAt(value, 'ports')) {
    setIfAbsent(port, 'name', '');
    setIfAbsent(port, 'protocol', 'TCP');
  }
}

function networkPolicy(value: Json): void {
  const spec = objectAt(value, 'spec');
  if (spec === undefined || !isEmpty(spec['policyTypes'])) return;
  spec['policyTypes'] = isEmpty(spec['egress']) ? ['Ingress'] : ['Ingress', 'Egress'];
}

function ingressClass(value: Json): void {
  const parameters = objectAt(objectAt(value, 'spec'), 'parameters');
  if (parameters !== undefined) setIfAbsent(parameters, 'scope', 'Cluster');
}

export const networkHooks: Readonly<Record<string, DefaultHook>> = {
  'core.v1.Service': { apply: service },
  'core.v1.Endpoints': { apply: endpoints },
  'discovery.v1.EndpointSlice': { apply: endpointSlice },
  'networking.v1.NetworkPolicy': { apply: networkPolicy },
  'networking.v1.IngressClass': { apply: ingressClass },
};
