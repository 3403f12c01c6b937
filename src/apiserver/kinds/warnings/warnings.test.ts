/** What clients are warned of, kind by kind: an object, and the lines of its answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnknownObject } from '#schema/mod.ts';
import { FakeObjectReader } from '../../authz/fake-object-reader.ts';
import { createAlwaysAllowAuthorizer } from '../../authz/union.ts';
import { createKindHooks } from '../hook-table.ts';

type Json = Record<string, unknown>;
type Row = readonly [resource: string, object: Json, ...lines: string[]];

const hooks = createKindHooks({
  reader: new FakeObjectReader(),
  authorizer: createAlwaysAllowAuthorizer(),
});
const pod = (spec: Json, annotations: Json = {}): Json => ({
  metadata: { name: 'a', annotations },
  spec: { containers: [{ name: 'main' }], ...spec },
});
const named = (more: Json, metadata: Json = {}): Json => ({
  metadata: { name: 'a', ...metadata },
  ...more,
});
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const zone = 'failure-domain.beta.kubernetes.io/zone';
const zoneText = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead';
const whole = 'is invalid, must be an integer';
const badLabel =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const rows: readonly Row[] = [
  ['pods', pod({})],
  ['pods', pod({ nodeSelector: { [zone]: 'a' } }), `spec.nodeSelector[${zone}]: ${zoneText}`],
  [
    'pods',
    pod({ dnsConfig: { nameservers: ['010.0.0.1', 'FD00::1', '::ffff:1.2.3.4', '1.2.3.4'] } }),
    'spec.dnsConfig.nameservers[0]: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
    'spec.dnsConfig.nameservers[1]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
    'spec.dnsConfig.nameservers[2]: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
  ],
  [
    'pods',
    pod({
      volumes: [{ name: 'v', configMap: { name: 'c', items: [{ path: 'a' }, { path: 'a/b' }] } }],
    }),
    'volume "v" (ConfigMap "c"): overlapping paths: "a/b" with "a"',
  ],
  [
    'pods',
    pod({
      volumes: [
        {
          name: 'v',
          projected: {
            sources: [
              { secret: { name: 's', items: [{ path: 'x' }] } },
              { downwardAPI: { items: [{ path: 'x' }] } },
              {},
            ],
          },
        },
      ],
    }),
    'volume "v" (Projected): overlapping paths: "x" (DownwardAPI) with "x" (Secret "s")',
    'volume "v" (Projected) has no sources provided',
  ],
  [
    'pods',
    pod(
      {},
      {
        'container.seccomp.security.alpha.kubernetes.io/main': 'a',
        'container.apparmor.security.beta.kubernetes.io/main': 'a',
      },
    ),
    'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/main]: non-functional in v1.27+; use the "seccompProfile" field instead',
  ],
  [
    'pods',
    pod({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, preference: { matchExpressions: [{ key: 'k', values: ['_'] }] } },
          ],
        },
      },
    }),
    `spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values[0]: _ is invalid, ${badLabel}`,
  ],
  [
    'pods',
    pod({
      volumes: [
        {
          name: 'v',
          ephemeral: {
            volumeClaimTemplate: { spec: { resources: { requests: { storage: '100m' } } } },
          },
        },
      ],
    }),
    `spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "100m" ${whole}`,
  ],
  [
    'podtemplates',
    named({ template: pod({ terminationGracePeriodSeconds: -1 }) }),
    'template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
  ],
  [
    'deployments.apps',
    named({ spec: {} }, { name: 'a.b' }),
    'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
  ],
  [
    'statefulsets.apps',
    named({ spec: { revisionHistoryLimit: -1 } }),
    'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
  ],
  [
    'services',
    named({
      spec: {
        clusterIPs: ['FD00::1'],
        externalIPs: ['01.2.3.4'],
        loadBalancerIP: 'FD00::2',
        loadBalancerSourceRanges: ['10.0.0.1/8', 'FD00::/8'],
      },
    }),
    'spec.clusterIPs[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
    'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    'spec.externalIPs[0]: non-standard IP address "01.2.3.4" is invalid: use "1.2.3.4"',
    'spec.loadBalancerIP: IPv6 address "FD00::2" should be in RFC 5952 canonical format ("fd00::2")',
    'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
    'spec.loadBalancerSourceRanges[1]: IPv6 CIDR value "FD00::/8" should be in RFC 5952 canonical format ("fd00::/8")',
  ],
  [
    'nodes',
    named({ spec: { podCIDRs: ['10.0.00.0/24'] } }),
    'spec.podCIDRs[0]: non-standard CIDR value "10.0.00.0/24" is invalid: use "10.0.0.0/24"',
  ],
  [
    'endpoints',
    named({ subsets: [{ notReadyAddresses: [{ ip: 'FD00::1' }] }] }),
    'subsets[0].notReadyAddresses[0].ip: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
  ],
  [
    'endpoints',
    named(
      { subsets: [{ addresses: [{ ip: 'FD00::1' }] }] },
      { labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
    ),
  ],
  [
    'endpointslices.discovery.k8s.io',
    named({ addressType: 'IPv6', endpoints: [{ addresses: ['FD00::1'] }] }),
    'endpoints[0].addresses[0]: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
  ],
  [
    'networkpolicies.networking.k8s.io',
    named({ spec: { egress: [{ to: [{ ipBlock: { cidr: '10.0.0.1/8' } }] }] } }),
    'spec.egress[0].to[0].ipBlock.cidr: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
  ],
  [
    'persistentvolumes',
    named({ spec: { rbd: {} } }),
    'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
  ],
  [
    'csistoragecapacities.storage.k8s.io',
    named({ nodeTopology: { matchLabels: { [zone]: 'a' }, matchExpressions: [{ key: zone }] } }),
    `nodeTopology.matchExpressions[0].key: ${zone} is ${zoneText}`,
    `nodeTopology.matchLabels.${zone}: ${zoneText}`,
  ],
  [
    'runtimeclasses.node.k8s.io',
    named({ scheduling: { nodeSelector: { [zone]: 'a' } } }),
    `scheduling.nodeSelector: ${zoneText}`,
  ],
  [
    'csidrivers.storage.k8s.io',
    named({ spec: { tokenRequests: [{ audience: 'a' }] } }),
    'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes',
  ],
  [
    'resourceslices.resource.k8s.io',
    named({ spec: { driver: 'GPU.x' } }),
    'spec.driver: driver names should be lowercase; "GPU.x" contains uppercase characters',
  ],
  [
    'secrets',
    named({ type: 'kubernetes.io/tls', data: { 'tls.crt': base64('x'), 'tls.key': base64('y') } }),
    'tls: failed to find any PEM data in certificate input',
  ],
];

test('addresses of a status are warned of when it is written', () => {
  const balancer = { loadBalancer: { ingress: [{ ip: 'FD00::1' }] } };
  const cases: [resource: string, status: object, path: string][] = [
    ['ingresses.networking.k8s.io', balancer, 'status.loadBalancer.ingress[0].ip'],
    ['services', balancer, 'status.loadBalancer.ingress[0].ip'],
    ['pods', { podIPs: [{ ip: 'FD00::1' }] }, 'status.podIPs[0].ip'],
    ['pods', { hostIPs: [{ ip: 'FD00::1' }] }, 'status.hostIPs[0].ip'],
  ];
  for (const [resource, status, path] of cases) {
    const object = named({ status }) as unknown as UnknownObject;
    assert.deepEqual(hooks[resource]?.statusWarnings?.(object), [
      `${path}: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")`,
    ]);
  }
});

for (const [resource, object, ...lines] of rows) {
  test(`${resource}: ${lines[0] ?? 'no warning'}`, () => {
    const warnings = hooks[resource]?.warnings?.(object as unknown as UnknownObject, undefined);
    assert.deepEqual(warnings, lines);
  });
}
