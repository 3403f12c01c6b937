import type { Answer } from 'dns-packet';

import type { Random } from '#base/random.ts';
import { canonicalIp } from '#base/cidr.ts';
import type { Informer } from '#client/mod.ts';
import type { Endpoint, EndpointSlice, Service } from '#schema/types.ts';
import { addressOfReverseName } from './reverse-name.ts';

/** Short, so that clients see a changed Service soon; the same as CoreDNS' kubernetes plugin. */
const ttlSeconds = 5;

export type QuestionType = 'A' | 'AAAA' | 'SRV' | 'PTR' | 'CNAME' | 'TXT' | 'SOA' | 'NS' | 'ANY';

/** What the zone says: records, an empty answer for a name that exists, or that it does not exist. */
export interface ZoneAnswer {
  readonly exists: boolean;
  readonly answers: readonly Answer[];
  readonly additionals: readonly Answer[];
  /** A CNAME leads outside: the resolver has to look it up. */
  readonly alias?: string | undefined;
}

export interface ClusterZone {
  /** Undefined when the name is none of ours and must be forwarded. `name` in lower case. */
  answer(name: string, type: string): ZoneAnswer | undefined;
  /** The SOA record that goes with negative answers. */
  soa(): Answer;
}

const nothing: ZoneAnswer = { exists: false, answers: [], additionals: [] };
const empty: ZoneAnswer = { exists: true, answers: [], additionals: [] };

const byService = 'dns/service';
const byAddress = 'dns/address';
const serviceNameLabel = 'kubernetes.io/service-name';

interface Target {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
}

/**
 * Names of Kubernetes' DNS specification 1.1 for one cluster domain, read from informers. The
 * informers must not be started yet: it adds indexes.
 */
export function createClusterZone(options: {
  services: Informer<Service>;
  endpointSlices: Informer<EndpointSlice>;
  domain: string;
  random: Random;
}): ClusterZone {
  const { services, endpointSlices, domain, random } = options;
  services.addIndex(byAddress, (service) => service.spec?.clusterIPs ?? []);
  endpointSlices.addIndex(byService, (slice) => {
    const name = slice.metadata.labels?.[serviceNameLabel];
    return name === undefined ? [] : [`${slice.metadata.namespace ?? ''}/${name}`];
  });
  endpointSlices.addIndex(byAddress, (slice) =>
    (slice.endpoints ?? []).flatMap(({ addresses }) => addresses),
  );
  const suffix = `.${domain}`;

  const slicesOf = (service: Service): EndpointSlice[] =>
    endpointSlices.byIndex(
      byService,
      `${service.metadata.namespace ?? ''}/${service.metadata.name}`,
    );

  const serviceAnswer = (labels: readonly string[], name: string, type: string): ZoneAnswer => {
    // From the right: service.namespace, with an endpoint or _port._protocol in front.
    const [namespace, serviceName, ...front] = labels.toReversed();
    if (serviceName === undefined)
      return namespace === undefined ? empty : namespaceAnswer(namespace);
    const service = services.get(`${namespace ?? ''}/${serviceName}`);
    if (service === undefined) return nothing;
    if (service.spec?.type === 'ExternalName') {
      const alias = service.spec.externalName ?? '';
      if (front.length > 0 || alias === '') return nothing;
      const record: Answer = { name, type: 'CNAME', ttl: ttlSeconds, class: 'IN', data: alias };
      return { exists: true, answers: [record], additionals: [], alias };
    }
    if (front.length === 2) return portAnswer(service, front[0] ?? '', front[1] ?? '', name, type);
    if (front.length > 2) return nothing;
    const isHeadless = service.spec?.clusterIP === 'None';
    if (!isHeadless) {
      if (front.length > 0) return nothing;
      const ips = service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? ''];
      if (type === 'SRV') return portAnswer(service, undefined, undefined, name, type);
      return addressAnswer(
        name,
        type,
        ips.filter((ip) => ip !== ''),
      );
    }
    const endpoints = headlessEndpoints(service, slicesOf(service));
    const wanted = front[0];
    const chosen =
      wanted === undefined ? endpoints : endpoints.filter(({ hostname }) => hostname === wanted);
    if (chosen.length === 0) return nothing;
    if (type === 'SRV' && wanted === undefined) {
      return portAnswer(service, undefined, undefined, name, type);
    }
    return addressAnswer(name, type, shuffled([...new Set(chosen.map(({ ip }) => ip))], random));
  };

  const namespaceAnswer = (namespace: string): ZoneAnswer =>
    services.listNamespace(namespace).length > 0 ? empty : nothing;

  /** SRV of `_port._protocol` (or of all ports), with the addresses of its targets. */
  const portAnswer = (
    service: Service,
    protocol: string | undefined,
    port: string | undefined,
    name: string,
    type: string,
  ): ZoneAnswer => {
    const targets = srvTargets(service, slicesOf(service), {
      domain,
      port: port?.replace(/^_/, ''),
      protocol: protocol?.replace(/^_/, ''),
    });
    if (targets.length === 0) return nothing;
    if (type !== 'SRV' && type !== 'ANY') return empty;
    const weight = Math.floor(100 / targets.length);
    return {
      exists: true,
      answers: targets.map((target) => ({
        name,
        type: 'SRV',
        ttl: ttlSeconds,
        class: 'IN',
        data: { priority: 0, weight, port: target.port, target: target.name },
      })),
      additionals: targets.map((target) => addressRecord(target.name, target.ip)),
    };
  };

  const reverseAnswer = (name: string, ip: string, type: string): ZoneAnswer | undefined => {
    const key = canonicalIp(ip) ?? ip;
    const names = services
      .byIndex(byAddress, key)
      .map(({ metadata }) => `${metadata.name}.${metadata.namespace ?? ''}.svc.${domain}`);
    for (const slice of endpointSlices.byIndex(byAddress, key)) {
      const owner = `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`;
      const service = services.get(owner);
      if (service?.spec?.clusterIP !== 'None') continue;
      const endpoint = headlessEndpoints(service, [slice]).find((entry) => entry.ip === key);
      if (endpoint !== undefined)
        names.push(`${endpoint.hostname}.${serviceHost(service, domain)}`);
    }
    if (names.length === 0) return undefined;
    if (type !== 'PTR' && type !== 'ANY') return empty;
    return {
      exists: true,
      answers: names.map((data) => ({ name, type: 'PTR', ttl: ttlSeconds, class: 'IN', data })),
      additionals: [],
    };
  };

  return {
    answer(name, type) {
      const ip = addressOfReverseName(name);
      if (ip !== undefined) return reverseAnswer(name, ip, type);
      if (name === domain) return type === 'SOA' ? soaAnswer(domain) : empty;
      if (!name.endsWith(suffix)) return undefined;
      const labels = name.slice(0, -suffix.length).split('.');
      const kind = labels.at(-1);
      if (kind === 'svc') return serviceAnswer(labels.slice(0, -1), name, type);
      if (kind === 'pod') return podAnswer(labels.slice(0, -1), name, type);
      if (name === `dns-version${suffix}`) return versionAnswer(name, type);
      return nothing;
    },
    soa: () => soaRecord(domain),
  };
}

interface NamedEndpoint {
  readonly hostname: string;
  readonly ip: string;
}

/** Endpoints of a headless Service that DNS shows: ready ones, or all with publishNotReadyAddresses. */
function headlessEndpoints(service: Service, slices: readonly EndpointSlice[]): NamedEndpoint[] {
  const showsAll = service.spec?.publishNotReadyAddresses === true;
  return slices.flatMap((slice) =>
    (slice.endpoints ?? [])
      .filter((endpoint) => showsAll || endpoint.conditions?.ready !== false)
      .flatMap((endpoint) =>
        endpoint.addresses.map((ip) => ({ hostname: endpointHostname(endpoint, ip), ip })),
      ),
  );
}

function endpointHostname(endpoint: Endpoint, ip: string): string {
  const { hostname } = endpoint;
  return hostname === undefined || hostname === '' ? ip.replaceAll(/[.:]/g, '-') : hostname;
}

function serviceHost(service: Service, domain: string): string {
  return `${service.metadata.name}.${service.metadata.namespace ?? ''}.svc.${domain}`;
}

function srvTargets(
  service: Service,
  slices: readonly EndpointSlice[],
  wanted: { domain: string; port: string | undefined; protocol: string | undefined },
): Target[] {
  const host = serviceHost(service, wanted.domain);
  const fits = (name: string | undefined, protocol: string | undefined): boolean =>
    (wanted.port === undefined || wanted.port === (name ?? '')) &&
    (wanted.protocol === undefined || wanted.protocol === (protocol ?? 'TCP').toLowerCase());
  if (service.spec?.clusterIP !== 'None') {
    return (service.spec?.ports ?? [])
      .filter(({ name, protocol }) => fits(name, protocol))
      .map(({ port }) => ({ name: host, ip: service.spec?.clusterIP ?? '', port }));
  }
  return slices.flatMap((slice) =>
    (slice.ports ?? [])
      .filter(({ name, protocol }) => fits(name, protocol))
      .flatMap(({ port }) =>
        headlessEndpoints(service, [slice]).map(({ hostname, ip }) => ({
          name: `${hostname}.${host}`,
          ip,
          port: port ?? 0,
        })),
      ),
  );
}

function addressAnswer(name: string, type: string, ips: readonly string[]): ZoneAnswer {
  const wantsV6 = type === 'AAAA';
  if (type !== 'A' && type !== 'AAAA' && type !== 'ANY') return empty;
  const chosen = ips.filter((ip) => type === 'ANY' || ip.includes(':') === wantsV6);
  return { exists: true, answers: chosen.map((ip) => addressRecord(name, ip)), additionals: [] };
}

function addressRecord(name: string, ip: string): Answer {
  const type = ip.includes(':') ? 'AAAA' : 'A';
  return { name, type, ttl: ttlSeconds, class: 'IN', data: ip };
}

/** `10-42-0-5.default.pod.<domain>`: the address is in the name, whether such a pod exists or not. */
function podAnswer(labels: readonly string[], name: string, type: string): ZoneAnswer {
  const [dashed, namespace, ...rest] = labels;
  if (dashed === undefined || namespace === undefined || rest.length > 0) return nothing;
  const ip = canonicalIp(dashed.replaceAll('-', '.')) ?? canonicalIp(dashed.replaceAll('-', ':'));
  return ip === undefined ? nothing : addressAnswer(name, type, [ip]);
}

function versionAnswer(name: string, type: string): ZoneAnswer {
  if (type !== 'TXT' && type !== 'ANY') return empty;
  const record: Answer = { name, type: 'TXT', ttl: ttlSeconds, class: 'IN', data: '1.1.0' };
  return { exists: true, answers: [record], additionals: [] };
}

function soaAnswer(domain: string): ZoneAnswer {
  return { exists: true, answers: [soaRecord(domain)], additionals: [] };
}

function soaRecord(domain: string): Answer {
  return {
    name: domain,
    type: 'SOA',
    ttl: ttlSeconds,
    class: 'IN',
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttlSeconds,
    },
  };
}

function shuffled<T>(items: T[], random: Random): T[] {
  for (let index = items.length - 1; index > 0; index--) {
    const other = random.integer(index + 1);
    [items[index], items[other]] = [items[other] as T, items[index] as T];
  }
  return items;
}
