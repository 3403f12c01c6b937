import type { Container, ContainerPort, PodSpec } from '#schema/types.ts';
import { fractionWarnings } from './fractions.ts';

type AnyContainer = Pick<Container, 'name' | 'env' | 'ports' | 'resources'>;

interface PlacedContainer {
  readonly container: AnyContainer;
  readonly path: string;
}

interface PlacedPort {
  readonly port: ContainerPort;
  readonly path: string;
}

/** Warnings about containers of all three sorts, ports compared over all of them. */
export function containerWarnings(spec: PodSpec, path: string): string[] {
  const place = (field: string, list: readonly AnyContainer[] | undefined): PlacedContainer[] =>
    (list ?? []).map((container, index) => ({ container, path: `${path}.${field}[${index}]` }));
  const all = [
    ...place('initContainers', spec.initContainers),
    ...place('containers', spec.containers),
    ...place('ephemeralContainers', spec.ephemeralContainers),
  ];
  return [...all.flatMap(ownWarnings), ...portWarnings(all)];
}

function ownWarnings({ container, path }: PlacedContainer): string[] {
  const { resources, env = [], ports = [] } = container;
  const lines = [
    ...fractionWarnings(resources?.limits, `${path}.resources.limits`),
    ...fractionWarnings(resources?.requests, `${path}.resources.requests`),
  ];
  const names = new Set<string>();
  for (const [index, { name, value = '', valueFrom }] of env.entries()) {
    const reference = `$(${name})`;
    const keepsEarlier =
      valueFrom === undefined && value !== reference && value.includes(reference);
    if (names.has(name) && !keepsEarlier) {
      lines.push(
        `${path}.env[${index}]: hides previous definition of "${name}", which may be dropped when using apply`,
      );
    }
    names.add(name);
  }
  for (const [index, port] of ports.entries()) {
    const { hostIP = '', hostPort = 0, name = '', containerPort, protocol = '' } = port;
    if (hostIP === '' || hostPort !== 0) continue;
    lines.push(
      `${path}.ports[${index}]: hostIP set without hostPort: {Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`,
    );
  }
  return lines;
}

function portWarnings(containers: readonly PlacedContainer[]): string[] {
  const lines: string[] = [];
  const seen: PlacedPort[] = [];
  for (const { container, path } of containers) {
    for (const [index, port] of (container.ports ?? []).entries()) {
      const placed = { port, path: `${path}.ports[${index}]` };
      for (const other of seen) lines.push(...comparePorts(other, placed));
      seen.push(placed);
    }
  }
  return lines;
}

function comparePorts(other: PlacedPort, { port, path }: PlacedPort): string[] {
  const lines: string[] = [];
  const name = port.name ?? '';
  if (name !== '' && name === other.port.name) {
    lines.push(
      `${path}: duplicate port name "${name}" with ${other.path}, services and probes that select ports by name will use ${other.path}`,
    );
  }
  const { port: before } = other;
  const isSame =
    before.containerPort === port.containerPort &&
    (before.protocol ?? '') === (port.protocol ?? '');
  if (!isSame) return lines;
  const [ip, otherIp] = [port.hostIP ?? '', before.hostIP ?? ''];
  const [host, otherHost] = [port.hostPort ?? 0, before.hostPort ?? 0];
  if (host === otherHost && ip === otherIp) {
    lines.push(`${path}: duplicate port definition with ${other.path}`);
  } else if (host === 0 || otherHost === 0) {
    lines.push(`${path}: overlapping port definition with ${other.path}`);
  } else if (host === otherHost && (ip === '') !== (otherIp === '')) {
    lines.push(`${path}: dangerously ambiguous port definition with ${other.path}`);
  }
  return lines;
}
