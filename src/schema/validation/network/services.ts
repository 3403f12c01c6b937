import type { Service, ServicePort, ServiceSpec } from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import {
  checkFormat,
  checkOneOf,
  checkOptionalFormat,
  requireOneOf,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { annotationsPath, rootPath, specPath, statusPath } from '../field-path.ts';
import { checkEndpointIp, checkLegacyIp } from '../formats/addresses.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import { checkPort, checkPortOrName } from '../formats/ports.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkLabels } from '../shared/object-meta.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import { portProtocols } from '../pods/containers.ts';
import { checkLoadBalancerStatus } from './load-balancer-status.ts';
import { checkClusterIps } from './service-addresses.ts';
import { checkServiceUpdate } from './service-update.ts';
import { checkSourceRanges, checkTrafficPolicies } from './service-traffic.ts';

type Spec = Unchecked<ServiceSpec>;

const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const affinities = ['ClientIP', 'None'];
const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const topologyMode = 'service.kubernetes.io/topology-mode';
const topologyHints = 'service.kubernetes.io/topology-aware-hints';
const maxAffinitySeconds = 86400;

export const serviceRules: KindRules<Service> = {
  name: dns1123LabelErrors,
  check: checkService,
  update: checkServiceUpdate,
  subresources: {
    status(errors, { spec = {}, status = {} }, old) {
      const path = statusPath.child('loadBalancer');
      const { loadBalancer = {} } = status;
      checkLoadBalancerStatus(errors, path, loadBalancer, spec, old.status?.loadBalancer);
    },
  },
};

function checkService(
  errors: ErrorList,
  service: Unchecked<Service>,
  old: Unchecked<Service> | undefined,
): void {
  const { metadata, spec = {} } = service;
  const annotations = metadata?.annotations;
  const mode = annotations?.[topologyMode];
  const hints = annotations?.[topologyHints];
  if (mode !== undefined && hints !== undefined && mode !== hints) {
    const detail = `must match annotations[${topologyHints}] when both are specified`;
    errors.invalid(annotationsPath.key(topologyMode), '', mode, detail);
  }
  const isExternalName = spec.type === 'ExternalName';
  if (isEmpty(spec.ports) && spec.clusterIP !== 'None' && !isExternalName) {
    errors.required(specPath, 'ports');
  }
  checkTypeFields(errors, spec);
  checkPorts(errors, spec);
  if (spec.selector !== undefined) checkLabels(errors, specPath, 'selector', spec.selector);
  requireOneOf(errors, specPath, 'sessionAffinity', spec.sessionAffinity, affinities);
  checkAffinity(errors, spec);
  if (!isExternalName) checkClusterIps(errors, spec, old?.spec);
  checkExternalIps(errors, spec, old?.spec);
  requireOneOf(errors, specPath, 'type', spec.type, serviceTypes);
  checkNodePorts(errors, spec);
  checkSourceRanges(errors, service, old);
  checkLoadBalancerFields(errors, spec);
  checkTrafficPolicies(errors, spec);
  const { trafficDistribution } = spec;
  checkOneOf(errors, specPath, 'trafficDistribution', trafficDistribution, distributions);
}

function checkTypeFields(errors: ErrorList, spec: Spec): void {
  const isHeadless = spec.clusterIP === 'None';
  const path = specPath.child('clusterIPs');
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
    if (!isHeadless) return;
    const detail = `may not be set to 'None' for ${spec.type} services`;
    errors.invalid(path, 0, 'None', detail);
  } else if (spec.type === 'ExternalName') {
    const detail = 'may not be set for ExternalName services';
    if (!isEmpty(spec.clusterIPs)) errors.forbidden(specPath, 'clusterIPs', detail);
    if (!isEmpty(spec.ipFamilies)) errors.forbidden(specPath, 'ipFamilies', detail);
    if (!isEmpty(spec.ipFamilyPolicy)) errors.forbidden(specPath, 'ipFamilyPolicy', detail);
    const { externalName = '' } = spec;
    if (!requireText(errors, specPath, 'externalName', externalName)) return;
    const name = externalName.replace(/\.$/, '');
    checkFormat(errors, specPath, 'externalName', name, dns1123SubdomainErrors);
  }
}

function checkPorts(errors: ErrorList, { ports = [] }: Spec): void {
  const path = specPath.child('ports');
  const names = new Set<string>();
  for (let index = 0; index < ports.length; index++) {
    const port = ports[index] ?? {};
    const at = path.at(index);
    const { name = '' } = port;
    if (ports.length > 1 && name === '') errors.required(at, 'name');
    else if (name !== '') {
      checkFormat(errors, at, 'name', name, dns1123LabelErrors);
      if (names.has(name)) errors.duplicate(at, 'name', name);
      names.add(name);
    }
    checkPort(errors, at, 'port', port.port);
    requireOneOf(errors, at, 'protocol', port.protocol, portProtocols);
    checkPortOrName(errors, at, 'targetPort', port.targetPort);
    if (port.appProtocol !== undefined) {
      checkFormat(errors, at, 'appProtocol', port.appProtocol, labelKeyErrors);
    }
  }
}

function checkAffinity(errors: ErrorList, spec: Spec): void {
  const { sessionAffinity, sessionAffinityConfig: config } = spec;
  const path = specPath.child('sessionAffinityConfig');
  if (sessionAffinity === 'None') {
    if (config === undefined) return;
    errors.forbidden(path, '', 'must not be set when session affinity is None');
  } else if (sessionAffinity === 'ClientIP') {
    const detail = 'when session affinity type is ClientIP';
    const seconds = config?.clientIP?.timeoutSeconds;
    if (config === undefined) errors.required(path, '', detail);
    else if (config.clientIP === undefined) errors.required(path, 'clientIP', detail);
    else if (seconds === undefined) errors.required(path, 'clientIP.timeoutSeconds', detail);
    else if (seconds <= 0 || seconds > maxAffinitySeconds) {
      const text = `must be greater than 0 and less than ${maxAffinitySeconds}`;
      errors.invalid(path, 'clientIP.timeoutSeconds', seconds, text);
    }
  }
}

function checkExternalIps(errors: ErrorList, spec: Spec, old: Spec | undefined): void {
  (spec.externalIPs ?? []).forEach((ip, index) => {
    const path = specPath.child('externalIPs');
    if (checkLegacyIp(errors, path, index, ip, old?.externalIPs)) {
      checkEndpointIp(errors, path, index, ip);
    }
  });
}

function checkNodePorts(errors: ErrorList, { type, ports = [] }: Spec): void {
  const path = specPath.child('ports');
  if (type === 'ClusterIP') {
    ports.forEach(({ nodePort = 0 }, index) => {
      if (nodePort === 0) return;
      const detail = "may not be used when `type` is 'ClusterIP'";
      errors.forbidden(path.at(index), 'nodePort', detail);
    });
  }
  if (ports.length < 2) return;
  const nodePorts = new Set<string>();
  ports.forEach(({ nodePort = 0, protocol = '' }, index) => {
    if (nodePort === 0) return;
    const key = `${protocol}/${nodePort}`;
    if (nodePorts.has(key)) errors.duplicate(path.at(index), 'nodePort', nodePort);
    nodePorts.add(key);
  });
  const seen = new Set<string>();
  ports.forEach((port, index) => {
    const key = `${port.protocol ?? ''}/${port.port ?? 0}`;
    if (seen.has(key)) errors.duplicate(path, index, portValue(port));
    seen.add(key);
  });
}

/** A port as Go prints its own struct. */
function portValue({ protocol = '', port = 0 }: Unchecked<ServicePort>): object {
  return {
    Name: '',
    Protocol: protocol,
    AppProtocol: null,
    Port: port,
    TargetPort: 0,
    NodePort: 0,
  };
}

function checkLoadBalancerFields(errors: ErrorList, spec: Spec): void {
  const { allocateLoadBalancerNodePorts, loadBalancerClass, type } = spec;
  const onlyText = "may only be used when `type` is 'LoadBalancer'";
  if (type === 'LoadBalancer') {
    if (allocateLoadBalancerNodePorts === undefined) {
      errors.required(rootPath, 'allocateLoadBalancerNodePorts');
    }
    checkOptionalFormat(errors, specPath, 'loadBalancerClass', loadBalancerClass, labelKeyErrors);
    return;
  }
  if (allocateLoadBalancerNodePorts !== undefined) {
    errors.forbidden(specPath, 'allocateLoadBalancerNodePorts', onlyText);
  }
  if (loadBalancerClass !== undefined) errors.forbidden(specPath, 'loadBalancerClass', onlyText);
}
