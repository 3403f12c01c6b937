import type { HostAlias, Pod } from '#schema/types.ts';
import { namespaceOf, specOf } from '../pods/names.ts';

const maxHostnameChars = 63;
const maxFqdnChars = 64;

export interface PodHostname {
  readonly hostname: string;
  /** `<subdomain>.<namespace>.svc.<cluster domain>`; empty without a subdomain. */
  readonly domain: string;
}

export function podHostname(pod: Pod, clusterDomain: string): PodHostname {
  const spec = specOf(pod);
  if (spec.hostnameOverride !== undefined) return { hostname: spec.hostnameOverride, domain: '' };
  const name = spec.hostname ?? '';
  const hostname =
    name === '' ? pod.metadata.name.slice(0, maxHostnameChars).replace(/[-.]+$/, '') : name;
  const subdomain = spec.subdomain ?? '';
  const domain = subdomain === '' ? '' : `${subdomain}.${namespaceOf(pod)}.svc.${clusterDomain}`;
  return { hostname, domain };
}

/** The name set in the pod's UTS namespace; throws a plain Error when an FQDN is too long. */
export function sandboxHostname(pod: Pod, clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain);
  if (specOf(pod).setHostnameAsFQDN !== true || domain === '') return hostname;
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length > maxFqdnChars) {
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${maxFqdnChars} characters is the max, ${fqdn.length} characters requested)`,
    );
  }
  return fqdn;
}

/** The managed /etc/hosts of a pod with its own network. */
export function podHostsFile(pod: Pod, ips: readonly string[], clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain);
  const names = domain === '' ? hostname : `${hostname}.${domain}\t${hostname}`;
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...ips.map((ip) => `${ip}\t${names}`),
  ];
  return `${lines.join('\n')}\n${aliasLines(specOf(pod).hostAliases)}`;
}

/** The managed /etc/hosts of a pod on the host's network. */
export function hostNetworkHostsFile(pod: Pod, hostText: string): string {
  return `# Kubernetes-managed hosts file (host network).\n${hostText}${aliasLines(specOf(pod).hostAliases)}`;
}

function aliasLines(aliases: readonly HostAlias[] | undefined): string {
  if (aliases === undefined || aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`);
  return `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`;
}
