import type { Service } from '#schema/types.ts';

/** The service whose variables every container gets, whatever enableServiceLinks says. */
const masterService = { namespace: 'default', name: 'kubernetes' };

function envName(text: string): string {
  return text.toUpperCase().replaceAll('-', '_');
}

function hasClusterIp(service: Service): boolean {
  const ip = service.spec?.clusterIP ?? '';
  return ip !== '' && ip !== 'None';
}

/** The services that a pod of this namespace learns about, by name; own namespace wins. */
export function servicesFor(options: {
  services: readonly Service[];
  namespace: string;
  isLinked: boolean;
}): Service[] {
  const byName = new Map<string, Service>();
  for (const service of options.services) {
    if (!hasClusterIp(service)) continue;
    const { name, namespace = 'default' } = service.metadata;
    const isMaster = namespace === masterService.namespace && name === masterService.name;
    if (isMaster && !byName.has(name)) byName.set(name, service);
    if (options.isLinked && namespace === options.namespace) byName.set(name, service);
  }
  return [...byName.values()];
}

/** Variables in the form of Docker links, as upstream has always set them. */
export function serviceVariables(services: readonly Service[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const { metadata, spec } of services) {
    const prefix = envName(metadata.name);
    const ip = spec?.clusterIP ?? '';
    const host = ip.includes(':') ? `[${ip}]` : ip;
    const ports = spec?.ports ?? [];
    variables.set(`${prefix}_SERVICE_HOST`, ip);
    variables.set(`${prefix}_SERVICE_PORT`, String(ports[0]?.port ?? ''));
    for (const { name = '', port } of ports) {
      if (name !== '') variables.set(`${prefix}_SERVICE_PORT_${envName(name)}`, String(port));
    }
    ports.forEach(({ protocol = 'TCP', port }, index) => {
      const url = `${protocol.toLowerCase()}://${host}:${port}`;
      if (index === 0) variables.set(`${prefix}_PORT`, url);
      const portPrefix = `${prefix}_PORT_${port}_${protocol}`;
      variables.set(portPrefix, url);
      variables.set(`${portPrefix}_PROTO`, protocol.toLowerCase());
      variables.set(`${portPrefix}_PORT`, String(port));
      variables.set(`${portPrefix}_ADDR`, ip);
    });
  }
  return variables;
}
