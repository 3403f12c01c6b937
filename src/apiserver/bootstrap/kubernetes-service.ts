import { hasReason } from '#base/api-status-error.ts';
import { nthAddress, formatIp, parseCidr } from '#base/cidr.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Endpoints, EndpointSlice, Service } from '#schema/types.ts';

import type { Change } from './rbac-reconcile.ts';
import { reconcileObjects } from './reconcile.ts';

/** How pods reach the API server: the Service default/kubernetes and what is behind it. */
export interface KubernetesServiceOptions {
  readonly client: Client;
  /** --service-cluster-ip-range, the first one gives the address. */
  readonly serviceCidrs: readonly string[];
  /** Port that the API servers listen on. */
  readonly port: number;
  readonly signal?: AbortSignal | undefined;
}

const name = 'kubernetes';
const namespace = 'default';

/** Creates the Service with the first address of the range, and puts its ports right. */
export async function reconcileKubernetesService(options: KubernetesServiceOptions): Promise<void> {
  const cidr = parseCidr(options.serviceCidrs[0] ?? '');
  const clusterIP = formatIp(nthAddress(cidr, 1));
  const wanted: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [cidr.family === 4 ? 'IPv4' : 'IPv6'],
      ipFamilyPolicy: 'SingleStack',
      sessionAffinity: 'None',
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: options.port }],
    },
  };
  const { client, signal } = options;
  await reconcileObjects<Service>({
    client,
    resource: resources.services,
    wanted: [wanted],
    compare: reconcileService,
    signal,
  });
}

function reconcileService(stored: Service, wanted: Service): Change<Service> {
  const ports = (of: Service): string =>
    JSON.stringify(
      of.spec?.ports?.map((port) => [port.name, port.protocol, port.port, port.targetPort]),
    );
  if (stored.spec?.type === wanted.spec?.type && ports(stored) === ports(wanted)) {
    return { action: 'keep' };
  }
  const spec = { ...stored.spec, type: 'ClusterIP', ports: wanted.spec?.ports };
  return { action: 'update', object: { ...stored, spec } };
}

/**
 * Puts the addresses of all live API servers behind the Service, in its Endpoints and
 * EndpointSlice. Called at start and whenever the set of servers may have changed.
 */
export async function reconcileApiServerEndpoints(
  options: KubernetesServiceOptions & { addresses: readonly string[] },
): Promise<void> {
  const { client, signal } = options;
  const addresses = [...options.addresses].sort();
  const ports = [{ name: 'https', port: options.port, protocol: 'TCP' }];
  const endpoints: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name,
      namespace,
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports }],
  };
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: addresses[0]?.includes(':') === true ? 'IPv6' : 'IPv4',
    endpoints: addresses.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
    ports,
  };
  await Promise.all([
    putObject(client, resources.endpoints, endpoints, ['subsets'], signal),
    putObject(client, resources.endpointSlices, slice, ['endpoints', 'ports'], signal),
  ]);
}

/** Creates the object, or updates it when one of `fields` differs. */
async function putObject<T extends Endpoints | EndpointSlice>(
  client: Client,
  resource: (typeof resources)['endpoints'],
  wanted: T,
  fields: readonly (keyof T)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  let stored: T;
  try {
    stored = await client.get<T>(resource, name, { namespace, signal });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
    await client.create<T>(resource, wanted, { namespace, signal });
    return;
  }
  if (fields.every((field) => sameFacts(stored[field], wanted[field]))) return;
  const next = { ...stored };
  for (const field of fields) next[field] = wanted[field];
  await client.update<T>(resource, next, { namespace, signal });
}

/** Equal as JSON, whatever the order of the fields. */
function sameFacts(left: unknown, right: unknown): boolean {
  const ordered = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(ordered);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, entry]) => [key, ordered(entry)]),
    );
  };
  return JSON.stringify(ordered(left)) === JSON.stringify(ordered(right));
}
