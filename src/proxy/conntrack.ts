import type { Logger } from '#base/log.ts';
import { CommandError, runCommand } from '#host/process.ts';
import type { IpFamily, ServicePort } from './service-port.ts';
import { usableEndpoints } from './service-port.ts';

const timeoutMs = 10_000;

/** A UDP destination whose remembered connections lead to an endpoint that is gone. */
export interface StaleFlow {
  /** Cluster, external or load balancer IP with its port, or a node port. */
  readonly destinationIp: string | undefined;
  readonly destinationPort: number;
  /** The endpoint that is gone; undefined when the Service had none before. */
  readonly endpointIp: string | undefined;
}

/**
 * What UDP clients must forget: netfilter would send them to a pod that is gone, or go on sending
 * them nowhere, as long as they keep talking. TCP breaks by itself.
 */
export function staleFlows(
  before: readonly ServicePort[],
  after: readonly ServicePort[],
): StaleFlow[] {
  const known = new Map(before.map((port) => [`${port.name}/${port.protocol}`, port]));
  const flows: StaleFlow[] = [];
  for (const port of after) {
    if (port.protocol !== 'udp') continue;
    const old = known.get(`${port.name}/${port.protocol}`);
    if (old === undefined) continue;
    const current = new Set(usableEndpoints(port.endpoints).map(({ ip }) => ip));
    const previous = new Set(usableEndpoints(old.endpoints).map(({ ip }) => ip));
    const gone: (string | undefined)[] = [...previous.difference(current)];
    if (previous.size === 0 && current.size > 0) gone.push(undefined);
    const ips = [port.clusterIp, ...port.externalIps, ...port.loadBalancerIps];
    for (const endpointIp of gone) {
      for (const destinationIp of ips) {
        flows.push({ destinationIp, destinationPort: port.port, endpointIp });
      }
      if (port.nodePort > 0) {
        flows.push({ destinationIp: undefined, destinationPort: port.nodePort, endpointIp });
      }
    }
  }
  return flows;
}

/** Deletes the flows; without the conntrack tool it only says so, once a call. */
export async function deleteFlows(
  flows: readonly StaleFlow[],
  family: IpFamily,
  log: Logger,
): Promise<void> {
  for (const { destinationIp, destinationPort, endpointIp } of flows) {
    const args = ['-D', '-f', family === 4 ? 'ipv4' : 'ipv6', '-p', 'udp'];
    args.push('--dport', String(destinationPort));
    if (destinationIp !== undefined) args.push('--orig-dst', destinationIp);
    if (endpointIp !== undefined) args.push('--dst-nat', endpointIp);
    try {
      // Exit code 1: no such flow.
      await runCommand({ command: 'conntrack', args, timeoutMs, okExitCodes: [0, 1] });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      log.warning('Cannot clear old UDP connections', { error: error.message });
      return;
    }
  }
}
