import type { Clock } from '#base/clock.ts';
import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { createReconcileLoop } from '#base/reconcile-loop.ts';
import { resources } from '#client/mod.ts';
import type { Client, Informer } from '#client/mod.ts';
import type { Endpoint, EndpointSlice, Node, Service } from '#schema/types.ts';

/** Where agents answer DNS on their node address: no port of the machine's own resolver. */
export const clusterDnsPort = 10_053;

const namespace = 'kube-system';
const name = 'kube-dns';
const retryMs = 2000;

/**
 * Keeps the Service kube-system/kube-dns and its EndpointSlices, one for each IP family, in line
 * with the nodes. Every agent answers DNS itself, and the Service keeps questions on their node.
 */
export function startClusterDns(options: {
  client: Client;
  nodes: Informer<Node>;
  clusterDns: readonly string[];
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): void {
  const { client, nodes, clusterDns, clock, log, signal } = options;
  let written = '';

  const reconcile = async (): Promise<void> => {
    const slices = clusterDns.map((ip) =>
      endpointSlice(ip.includes(':') ? 'IPv6' : 'IPv4', nodes.list()),
    );
    const wanted = JSON.stringify(slices);
    if (wanted === written) return;
    await createIfMissing(client, dnsService(clusterDns));
    for (const slice of slices) await writeSlice(client, slice);
    written = wanted;
  };
  const changed = createReconcileLoop({
    reconcile,
    onError: (error) =>
      log.warning('Cannot write the DNS service; trying again', { error: messageOf(error) }),
    retryMs,
    clock,
    signal,
  });
  nodes.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
  changed();
}

function dnsService(clusterDns: readonly string[]): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: {
        'k8s-app': 'kube-dns',
        'kubernetes.io/cluster-service': 'true',
        'kubernetes.io/name': 'CoreDNS',
      },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterDns[0],
      clusterIPs: [...clusterDns],
      ipFamilyPolicy: clusterDns.length > 1 ? 'RequireDualStack' : 'SingleStack',
      internalTrafficPolicy: 'Local',
      ports: [
        { name: 'dns', port: 53, targetPort: clusterDnsPort, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, targetPort: clusterDnsPort, protocol: 'TCP' },
      ],
    },
  };
}

function endpointSlice(family: 'IPv4' | 'IPv6', nodes: readonly Node[]): EndpointSlice {
  const endpoints: Endpoint[] = nodes
    .flatMap((node) => {
      const address = node.status?.addresses?.find(
        ({ type, address: ip }) =>
          type === 'InternalIP' && ip.includes(':') === (family === 'IPv6'),
      );
      if (address === undefined) return [];
      return [
        {
          addresses: [address.address],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: node.metadata.name,
        },
      ];
    })
    .sort((a, b) => a.nodeName.localeCompare(b.nodeName));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${name}-${family.toLowerCase()}`,
      namespace,
      labels: {
        'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': 'cluster-dns.k3ts.io',
      },
    },
    addressType: family,
    endpoints,
    ports: [
      { name: 'dns', port: clusterDnsPort, protocol: 'UDP' },
      { name: 'dns-tcp', port: clusterDnsPort, protocol: 'TCP' },
    ],
  };
}

async function createIfMissing(client: Client, service: Service): Promise<void> {
  try {
    await client.get(resources.services, name, { namespace });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    await client.create(resources.services, service, { namespace });
  }
}

async function writeSlice(client: Client, slice: EndpointSlice): Promise<void> {
  try {
    const stored = await client.get<EndpointSlice>(resources.endpointSlices, slice.metadata.name, {
      namespace,
    });
    if (JSON.stringify(stored.endpoints) === JSON.stringify(slice.endpoints)) return;
    const { resourceVersion } = stored.metadata;
    const update = { ...slice, metadata: { ...slice.metadata, resourceVersion } };
    await client.update(resources.endpointSlices, update, { namespace });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    await client.create(resources.endpointSlices, slice, { namespace });
  }
}
