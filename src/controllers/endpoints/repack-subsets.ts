import type { CoreV1EndpointPort, EndpointAddress, EndpointSubset } from '#schema/types.ts';
import type { PodPort } from '../service-pods/service-ports.ts';

/** One pod of a service. */
export interface AddressEntry {
  readonly address: EndpointAddress;
  readonly isReady: boolean;
  readonly ports: readonly PodPort[];
}

/**
 * Groups addresses that have the same ports into subsets, each sorted, as upstream repacks them:
 * the same pods give the same subsets in whatever order they come.
 */
export function repackSubsets(entries: readonly AddressEntry[]): EndpointSubset[] {
  const groups = new Map<string, { ports: readonly PodPort[]; entries: AddressEntry[] }>();
  for (const entry of entries) {
    const ports = entry.ports.toSorted(comparePorts);
    const key = JSON.stringify(ports);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ports, entries: [entry] });
    else group.entries.push(entry);
  }
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => {
      const ready = addressesOf(group.entries, true);
      const notReady = addressesOf(group.entries, false);
      return {
        ...(ready.length === 0 ? {} : { addresses: ready }),
        ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
        ...(group.ports.length === 0 ? {} : { ports: group.ports.map(endpointPort) }),
      };
    });
}

function addressesOf(entries: readonly AddressEntry[], isReady: boolean): EndpointAddress[] {
  return entries
    .filter((entry) => entry.isReady === isReady)
    .map((entry) => entry.address)
    .toSorted((a, b) => {
      if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
      return (a.targetRef?.uid ?? '') < (b.targetRef?.uid ?? '') ? -1 : 1;
    });
}

function endpointPort({ name, port, protocol, appProtocol }: PodPort): CoreV1EndpointPort {
  return {
    ...(name === '' ? {} : { name }),
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  };
}

function comparePorts(a: PodPort, b: PodPort): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.port !== b.port) return a.port - b.port;
  return a.protocol < b.protocol ? -1 : 1;
}
