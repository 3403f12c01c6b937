import type { Pod } from '#schema/types.ts';
import type { DnsConfig } from '../cri/mod.ts';
import { namespaceOf, podText, specOf } from '../pods/names.ts';

export interface DnsSettings {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
}

/** A resolver configuration and the warnings (event reason, text) that making it gave. */
export interface DnsResult {
  readonly config: DnsConfig;
  readonly warnings: readonly { reason: string; message: string }[];
}

const maxNameservers = 3;
const maxSearches = 32;
const maxSearchChars = 2048;
const maxDomainChars = 253;

/** nameserver, search and options of a resolv.conf; the last search line counts. */
export function parseResolvConf(text: string): DnsConfig {
  const config: DnsConfig = { servers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword = '', ...values] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) config.servers.push(values[0]);
    else if (keyword === 'search') {
      config.searches = values.map((value) => value.replace(/(?<=.)\.$/, ''));
    } else if (keyword === 'options') config.options.push(...values);
  }
  return config;
}

/** The pod's resolver by dnsPolicy and dnsConfig; `host` is the machine's own configuration. */
export function podDns(pod: Pod, host: DnsConfig, settings: DnsSettings): DnsResult {
  const spec = specOf(pod);
  const warnings: { reason: string; message: string }[] = [];
  const policy = spec.dnsPolicy ?? 'ClusterFirst';
  const isClusterFirst =
    policy === 'ClusterFirstWithHostNet' ||
    (policy === 'ClusterFirst' && spec.hostNetwork !== true);
  let base = host;
  if (policy === 'None') {
    base = { servers: [], searches: [], options: [] };
  } else if (isClusterFirst && settings.clusterDns.length > 0) {
    const { clusterDomain: domain } = settings;
    const namespace = namespaceOf(pod);
    base = {
      servers: [...settings.clusterDns],
      searches: unique([`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...host.searches]),
      options: ['ndots:5'],
    };
  } else if (isClusterFirst) {
    warnings.push({
      reason: 'MissingClusterDNS',
      message: `pod: "${podText(pod)}". kubelet does not have ClusterDNS IP configured and cannot create Pod using "${policy}" policy. Falling back to "Default" policy.`,
    });
  }
  const wanted = spec.dnsConfig;
  const config: DnsConfig = {
    servers: unique([...base.servers, ...(wanted?.nameservers ?? [])]),
    searches: unique([...base.searches, ...(wanted?.searches ?? [])]),
    options: mergeOptions(base.options, wanted?.options ?? []),
  };
  return { config: bounded(config, warnings), warnings };
}

function bounded(config: DnsConfig, warnings: { reason: string; message: string }[]): DnsConfig {
  const servers = config.servers.slice(0, maxNameservers);
  if (servers.length < config.servers.length) {
    warnings.push({
      reason: 'DNSConfigForming',
      message: `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`,
    });
  }
  let searches = config.searches
    .filter((search) => search.length <= maxDomainChars)
    .slice(0, maxSearches);
  while (searches.join(' ').length > maxSearchChars) searches = searches.slice(0, -1);
  if (searches.length < config.searches.length) {
    warnings.push({
      reason: 'DNSConfigForming',
      message: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`,
    });
  }
  return { servers, searches, options: config.options };
}

function mergeOptions(
  base: readonly string[],
  wanted: readonly { name?: string | undefined; value?: string | undefined }[],
): string[] {
  const options = new Map<string, string>();
  for (const option of base) options.set(option.split(':')[0] ?? '', option);
  for (const { name = '', value } of wanted) {
    options.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  }
  return [...options.values()];
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
