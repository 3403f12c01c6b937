import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { EndpointSlice, Service, ServiceSpec } from '#schema/types.ts';
import { staleFlows } from './conntrack.ts';
import { endpointChain, serviceChain } from './iptables/chain-names.ts';
import { renderRules } from './iptables/render.ts';
import { renderChanges, RuleSet } from './iptables/rule-set.ts';
import { servicePorts } from './service-port.ts';
import type { ServicePort } from './service-port.ts';

const options = { family: 4, clusterCidr: '10.42.0.0/16' } as const;

function service(spec: Partial<ServiceSpec> = {}): Service {
  return {
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.43.1.2',
      clusterIPs: ['10.43.1.2'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
  };
}

function slice(
  endpoints: { ip: string; node?: string; ready?: boolean; terminating?: boolean }[],
  protocol = 'TCP',
): EndpointSlice {
  return {
    addressType: 'IPv4',
    metadata: { name: 'web-1', namespace: 'default' },
    ports: [{ name: 'http', port: 8080, protocol }],
    endpoints: endpoints.map(({ ip, node = 'a', ready = true, terminating = false }) => ({
      addresses: [ip],
      nodeName: node,
      conditions: { ready, serving: ready || terminating, terminating },
    })),
  };
}

function portsOf(of: Service, ...slices: EndpointSlice[]): ServicePort[] {
  return servicePorts(of, slices, 4, 'a');
}

function chain(ports: ServicePort[], table: 'nat' | 'filter', name: string): readonly string[] {
  return renderRules(ports, options).chains(table).get(name) ?? [];
}

const name = 'default/web:http';
const svc = serviceChain('SVC', name, 'tcp');

test('chain names are those of kube-proxy', () => {
  // Seen on any cluster: the chains of the API's own Service and of cluster DNS.
  assert.equal(serviceChain('SVC', 'default/kubernetes:https', 'tcp'), 'KUBE-SVC-NPX46M4PTMTKRN6Y');
  assert.equal(serviceChain('SVC', 'kube-system/kube-dns:dns', 'udp'), 'KUBE-SVC-TCOU7JCQXEZGVUNU');
  assert.match(endpointChain(name, 'tcp', '10.42.0.5:8080'), /^KUBE-SEP-[A-Z2-7]{16}$/);
});

test('a ClusterIP is balanced over its ready endpoints', () => {
  const ports = portsOf(
    service(),
    slice([{ ip: '10.42.0.5' }, { ip: '10.42.0.6' }, { ip: '10.42.0.7', ready: false }]),
  );
  assert.equal(
    chain(ports, 'nat', 'KUBE-SERVICES')[0],
    `-m comment --comment "${name} cluster IP" -m tcp -p tcp -d 10.43.1.2/32 --dport 80 -j ${svc}`,
  );
  const [masquerade, first, second, ...rest] = chain(ports, 'nat', svc);
  assert.match(masquerade ?? '', /! -s 10\.42\.0\.0\/16 .* -j KUBE-MARK-MASQ$/);
  assert.match(
    first ?? '',
    /10\.42\.0\.5:8080" -m statistic --mode random --probability 0\.5000000000 -j KUBE-SEP-/,
  );
  assert.match(second ?? '', /10\.42\.0\.6:8080" -j KUBE-SEP-/);
  assert.deepEqual(rest, []);
  const endpoint = chain(ports, 'nat', endpointChain(name, 'tcp', '10.42.0.5:8080'));
  assert.match(endpoint[0] ?? '', /-s 10\.42\.0\.5\/32 -j KUBE-MARK-MASQ$/);
  assert.match(endpoint[1] ?? '', /-j DNAT --to-destination 10\.42\.0\.5:8080$/);
});

test('without endpoints connections are refused, and terminating ones are used when alone', () => {
  const empty = portsOf(service());
  assert.match(chain(empty, 'filter', 'KUBE-SERVICES')[0] ?? '', /has no endpoints" .* -j REJECT$/);
  const ending = portsOf(service(), slice([{ ip: '10.42.0.5', ready: false, terminating: true }]));
  assert.equal(chain(ending, 'nat', svc).length, 2);
});

test('a NodePort leads through the external chain, masqueraded', () => {
  const ports = portsOf(
    service({
      type: 'NodePort',
      ports: [{ name: 'http', port: 80, nodePort: 30_080, protocol: 'TCP' }],
    }),
    slice([{ ip: '10.42.0.5' }]),
  );
  const external = serviceChain('EXT', name, 'tcp');
  assert.equal(
    chain(ports, 'nat', 'KUBE-NODEPORTS')[0],
    `-m comment --comment "${name}" -m tcp -p tcp --dport 30080 -j ${external}`,
  );
  assert.match(chain(ports, 'nat', external)[0] ?? '', /-j KUBE-MARK-MASQ$/);
  assert.equal(chain(ports, 'nat', external)[1], `-j ${svc}`);
});

test('policy Local keeps traffic on the node and drops it where no endpoint is', () => {
  const local = service({
    type: 'NodePort',
    externalTrafficPolicy: 'Local',
    ports: [{ name: 'http', port: 80, nodePort: 30_080, protocol: 'TCP' }],
  });
  const here = portsOf(local, slice([{ ip: '10.42.0.5' }, { ip: '10.42.1.5', node: 'b' }]));
  const svl = chain(here, 'nat', serviceChain('SVL', name, 'tcp'));
  assert.equal(svl.length, 1);
  assert.match(svl[0] ?? '', /10\.42\.0\.5/);
  const elsewhere = portsOf(local, slice([{ ip: '10.42.1.5', node: 'b' }]));
  assert.match(
    chain(elsewhere, 'filter', 'KUBE-EXTERNAL-SERVICES')[0] ?? '',
    /has no local endpoints" .* -j DROP$/,
  );
  assert.equal(chain(elsewhere, 'nat', 'KUBE-SERVICES').length, 2);
});

test('client affinity asks who served last before choosing anew', () => {
  const ports = portsOf(service({ sessionAffinity: 'ClientIP' }), slice([{ ip: '10.42.0.5' }]));
  const sep = endpointChain(name, 'tcp', '10.42.0.5:8080');
  assert.match(
    chain(ports, 'nat', svc)[1] ?? '',
    new RegExp(`--name ${sep} --rcheck --seconds 10800 --reap -j ${sep}$`),
  );
  assert.match(chain(ports, 'nat', sep)[1] ?? '', new RegExp(`--name ${sep} --set -m tcp`));
});

test('headless, external-name and foreign Services are left alone', () => {
  assert.deepEqual(portsOf(service({ clusterIP: 'None', clusterIPs: ['None'] })), []);
  assert.deepEqual(portsOf(service({ type: 'ExternalName' })), []);
  const foreign = service();
  foreign.metadata.labels = { 'service.kubernetes.io/service-proxy-name': 'other' };
  assert.deepEqual(portsOf(foreign), []);
});

test('a sync writes only the chains that changed and removes those that are gone', () => {
  const two = renderRules(
    portsOf(service(), slice([{ ip: '10.42.0.5' }, { ip: '10.42.0.6' }])),
    options,
  );
  const one = renderRules(portsOf(service(), slice([{ ip: '10.42.0.5' }])), options);
  assert.equal(renderChanges(two, two), '');
  const changes = renderChanges(two, one);
  const gone = endpointChain(name, 'tcp', '10.42.0.6:8080');
  assert.deepEqual(
    changes.split('\n').filter((line) => line.startsWith(':') || line.startsWith('-X')),
    [`:${svc} - [0:0]`, `:${gone} - [0:0]`, `-X ${gone}`],
  );
  assert.ok(!changes.includes('*filter'));
  assert.match(renderChanges(new RuleSet(), one), /^\*filter\n[^]*COMMIT\n\*nat\n[^]*COMMIT\n$/);
});

test('UDP clients forget endpoints that are gone', () => {
  const udp = service({ ports: [{ name: 'http', port: 53, protocol: 'UDP' }] });
  const before = portsOf(udp, slice([{ ip: '10.42.0.5' }, { ip: '10.42.0.6' }], 'UDP'));
  const after = portsOf(udp, slice([{ ip: '10.42.0.6' }], 'UDP'));
  assert.deepEqual(staleFlows(before, after), [
    { destinationIp: '10.43.1.2', destinationPort: 53, endpointIp: '10.42.0.5' },
  ]);
  assert.deepEqual(staleFlows(after, after), []);
});
