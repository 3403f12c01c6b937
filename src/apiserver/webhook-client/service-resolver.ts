import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Endpoint, EndpointSlice, Service } from '#schema/types.ts';
import { serviceUnavailable } from '../api-errors.ts';
import type { ObjectReader } from '../authz/object-reader.ts';

/**
 * Service -> address to dial; the name in the certificate stays `<name>.<namespace>.svc`. Throws
 * with upstream's texts: `service "x" not found`, `no endpoints available for service "x"`.
 */
export interface ServiceResolver {
  resolve(namespace: string, name: string, port: number): { host: string; port: number };
}

export interface ServiceResolverOptions {
  readonly reader: ObjectReader;
  readonly random: Random;
}

/**
 * Resolves to one of the ready endpoints, by chance: that needs no service proxy on this machine.
 * A Service that names an outside host is that host. Same as kube-apiserver with aggregator
 * routing.
 */
export function createServiceResolver(options: ServiceResolverOptions): ServiceResolver {
  const { reader, random } = options;
  return {
    resolve(namespace, name, port) {
      const service = reader.get<Service>(resources.services, namespace, name);
      if (service === undefined) throw new Error(`service ${JSON.stringify(name)} not found`);
      const { spec } = service;
      if (spec?.type === 'ExternalName') return { host: spec.externalName ?? '', port };
      const servicePort = spec?.ports?.find((one) => one.port === port);
      if (servicePort === undefined) {
        throw serviceUnavailable(
          `no service port ${port} found for service ${JSON.stringify(name)}`,
        );
      }
      const choices = endpointsOf(reader, namespace, name, servicePort.name ?? '');
      const choice = choices[random.integer(Math.max(choices.length, 1))];
      if (choice === undefined) {
        throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
      }
      return choice;
    },
  };
}

function endpointsOf(
  reader: ObjectReader,
  namespace: string,
  service: string,
  portName: string,
): { host: string; port: number }[] {
  const choices: { host: string; port: number }[] = [];
  for (const slice of reader.list<EndpointSlice>(resources.endpointSlices, namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service) continue;
    const port = slice.ports?.find((one) => (one.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const [host] = endpoint.addresses;
      if (host !== undefined && isReady(endpoint)) choices.push({ host, port });
    }
  }
  return choices;
}

function isReady(endpoint: Endpoint): boolean {
  return endpoint.conditions?.ready !== false;
}
