import { test } from 'node:test';
import { validKind } from '../testing/check-kind.ts';

const required = 'Required value';
const immutable = 'field is immutable';

test('Service', () => {
  const services = validKind('', 'services');
  services.create([
    [{ 'spec.ports': [] }, `spec.ports: ${required}`],
    [{ 'spec.ports': [], 'spec.clusterIP': 'None', 'spec.clusterIPs': ['None'] }],
    [
      { 'spec.ports.1': { port: 443 } },
      `spec.ports[0].name: ${required}`,
      `spec.ports[1].name: ${required}`,
    ],
    [
      {
        'spec.ports': [
          { name: 'a', port: 80 },
          { name: 'a', port: 80 },
        ],
      },
      'spec.ports[1].name: Duplicate value: "a"',
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
    [
      { 'spec.ports.0.port': 0 },
      'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
      'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
    [
      { 'spec.ports.0.protocol': 'ICMP' },
      'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      { 'spec.ports.0.nodePort': 30000 },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [{ 'spec.type': 'ExternalName', 'spec.ports': [] }, `spec.externalName: ${required}`],
    [
      { 'spec.type': 'Tunnel' },
      'spec.type: Unsupported value: "Tunnel": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
    [
      { 'spec.clusterIP': '10.43.0.1', 'spec.clusterIPs': ['10.43.0.2'] },
      'spec.clusterIPs: Invalid value: ["10.43.0.2"]: first value must match `clusterIP`',
    ],
    [
      {
        'spec.clusterIP': '10.43.0.1',
        'spec.clusterIPs': ['10.43.0.1'],
        'spec.ipFamilies': ['IPv6'],
      },
      'spec.clusterIPs[0]: Invalid value: "10.43.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
    ],
    [
      { 'spec.externalIPs': ['127.0.0.1'] },
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
    [
      {
        'spec.sessionAffinity': 'ClientIP',
        'spec.sessionAffinityConfig': { clientIP: { timeoutSeconds: 0 } },
      },
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
    ],
    [
      { 'spec.loadBalancerSourceRanges': ['10.0.0.0/8'] },
      "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
    [
      { 'spec.externalTrafficPolicy': 'Local' },
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
    [
      { 'spec.healthCheckNodePort': 30001 },
      "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
    [
      { 'spec.trafficDistribution': 'Far' },
      'spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
    ],
  ]);
  const at = (address: string): Record<string, unknown> => ({
    'spec.clusterIP': address,
    'spec.clusterIPs': [address],
    'spec.ipFamilies': ['IPv4'],
  });
  services.update([
    [
      at('10.43.0.1'),
      at('10.43.0.2'),
      'spec.clusterIPs[0]: Invalid value: ["10.43.0.2"]: may not change once set',
    ],
    [at('10.43.0.1'), { 'spec.ports.0.port': 81 }],
    [
      { ...at('10.43.0.1'), 'spec.type': 'LoadBalancer', 'spec.loadBalancerClass': 'a.b/c' },
      { 'spec.loadBalancerClass': 'a.b/d' },
      'spec.loadBalancerClass: Invalid value: "a.b/d": may not change once set',
    ],
  ]);
  services.update(
    [
      [
        {},
        { 'status.loadBalancer.ingress': [{ ip: '1.2.3.4' }] },
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
      ],
      [
        { 'spec.type': 'LoadBalancer' },
        { 'status.loadBalancer.ingress': [{ hostname: '1.2.3.4' }] },
        'status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      ],
    ],
    'status',
  );
});

test('Endpoints and EndpointSlice', () => {
  validKind('', 'endpoints').create([
    [
      { 'subsets.0.addresses': [] },
      'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
    ],
    [
      { 'subsets.0.addresses': [{ ip: '169.254.0.1' }] },
      'subsets[0].addresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    ],
    [
      { 'subsets.0.ports.0.port': 0 },
      'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    ],
  ]);
  const slices = validKind('discovery.k8s.io', 'endpointslices');
  slices.create([
    [
      { addressType: 'IP' },
      'addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"',
    ],
    [
      { 'endpoints.0.addresses': [] },
      'endpoints[0].addresses: Required value: must contain at least 1 address',
    ],
    [
      { 'endpoints.0.addresses': ['2001:db8::1'] },
      'endpoints[0].addresses: Invalid value: "2001:db8::1": must be an IPv4 address',
    ],
    [{ 'ports.1': { port: 81 } }, 'ports[1].name: Duplicate value: ""'],
    [
      { endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['10.0.0.1'] })) },
      'endpoints: Too many: 1001: must have at most 1000 items',
    ],
  ]);
  slices.update([
    [
      {},
      { addressType: 'IPv6', endpoints: [] },
      `addressType: Invalid value: "IPv6": ${immutable}`,
    ],
  ]);
});

test('Ingress and IngressClass', () => {
  const path = 'spec.rules[0].http.paths[0]';
  const paths = 'spec.rules.0.http.paths.0';
  validKind('networking.k8s.io', 'ingresses').create([
    [
      { 'spec.rules': undefined },
      'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
    ],
    [
      { 'spec.rules.0.host': '1.2.3.4' },
      'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
    ],
    [{ 'spec.rules.0.http.paths': [] }, `spec.rules[0].http.paths: ${required}`],
    [
      { [`${paths}.pathType`]: undefined },
      `${path}.pathType: Required value: pathType must be specified`,
    ],
    [{ [`${paths}.path`]: 'a' }, `${path}.path: Invalid value: "a": must be an absolute path`],
    [
      { [`${paths}.path`]: '/a//b/..' },
      `${path}.path: Invalid value: "/a//b/..": must not contain '//'`,
      `${path}.path: Invalid value: "/a//b/..": cannot end with '/..'`,
    ],
    [
      { [`${paths}.backend`]: { service: { name: 'a' } } },
      `${path}.backend: Required value: port name or number is required`,
    ],
    [
      { [`${paths}.backend`]: {} },
      `${path}.backend: Invalid value: "": resource or service backend is required`,
    ],
    [
      {
        'metadata.annotations': { 'kubernetes.io/ingress.class': 'a' },
        'spec.ingressClassName': 'b',
      },
      'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
    ],
  ]);
  const classes = validKind('networking.k8s.io', 'ingressclasses');
  classes.create([
    [{ 'spec.controller': '' }, `spec.controller: ${required}`],
    [
      { 'spec.parameters': { kind: 'A', name: 'a', scope: 'Namespace' } },
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
  ]);
  classes.update([
    [
      {},
      { 'spec.controller': 'example.com/other' },
      `spec.controller: Invalid value: "example.com/other": ${immutable}`,
    ],
  ]);
});

test('NetworkPolicy, ServiceCIDR and IPAddress', () => {
  const peer = 'spec.ingress.0.from.0';
  validKind('networking.k8s.io', 'networkpolicies').create([
    [{ [peer]: {} }, 'spec.ingress[0].from[0]: Required value: must specify a peer'],
    [
      { [`${peer}.podSelector`]: {} },
      'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
    ],
    [
      { [`${peer}.ipBlock.except`]: ['10.0.0.0/8'] },
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
    ],
    [
      { 'spec.ingress.0.ports.0': { port: 80, endPort: 70 } },
      'spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`',
    ],
    [
      { 'spec.policyTypes': ['Both'] },
      'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"',
    ],
  ]);
  const ranges = validKind('networking.k8s.io', 'servicecidrs');
  ranges.create([
    [{ 'spec.cidrs': [] }, 'spec.cidrs: Required value: at least one CIDR required'],
    [
      { 'spec.cidrs': ['10.43.0.0/16', '10.44.0.0/16'] },
      'spec.cidrs: Invalid value: ["10.43.0.0/16","10.44.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ]);
  ranges.update([
    [{}, { 'spec.cidrs': ['10.43.0.0/16', '2001:db8::/64'] }],
    [
      {},
      { 'spec.cidrs': ['10.44.0.0/16'] },
      `spec.cidrs[0]: Invalid value: "10.44.0.0/16": ${immutable}`,
    ],
  ]);
  validKind('networking.k8s.io', 'ipaddresses').create([
    [
      { 'metadata.name': '10.043.0.1' },
      'metadata.name: Invalid value: "10.043.0.1": must not have leading 0s',
    ],
    [{ 'spec.parentRef.name': '' }, `spec.parentRef.name: ${required}`],
  ]);
});
