import { objectKey } from '#client/mod.ts';
import type { EventRecorder, Informer } from '#client/mod.ts';
import type { Endpoint, EndpointSlice, Node, Service } from '#schema/types.ts';
import type { EndpointGroup } from './desired-endpoints.ts';
import { wantsZoneHints, zoneHints, zoneShares } from './zone-hints.ts';

/** Gives endpoints hints by the size of zones, and tells when that begins, ends or fails. */
export interface ServiceHints {
  /** Writes the hints into the endpoints of one address family, where the service asks for them. */
  apply(
    service: Service,
    type: string,
    groups: ReadonlyMap<string, EndpointGroup>,
    existing: readonly EndpointSlice[],
  ): void;
  forget(key: string): void;
}

export function createServiceHints(nodes: Informer<Node>, events: EventRecorder): ServiceHints {
  /** Families by service that have hints. */
  const hinted = new Map<string, Set<string>>();
  const tell = (service: Service, isOn: boolean, type: string, text: string): void => {
    const [kind, state] = isOn ? ['Normal', 'Enabled'] : ['Warning', 'Disabled'];
    const message = `${text}, addressType: ${type}`;
    events.event(service, kind as 'Normal' | 'Warning', `TopologyAwareHints${state}`, message);
  };
  return {
    forget: (key) => void hinted.delete(key),
    apply(service, type, groups, existing) {
      const key = objectKey(service);
      const families = hinted.get(key) ?? new Set();
      const isHinted = families.has(type);
      if (!wantsZoneHints(service)) {
        if (!isHinted) return;
        families.delete(type);
        tell(service, false, type, 'Topology Aware Hints has been disabled');
        return;
      }
      const endpoints = [...groups.values()].flatMap((group) => group.endpoints);
      const outcome = zoneHints(endpoints, zoneShares(nodes.list()), formerZones(existing));
      if ('problem' in outcome) {
        families.delete(type);
        tell(service, false, type, outcome.problem);
        return;
      }
      for (const [endpoint, name] of outcome.zones) endpoint.hints = { forZones: [{ name }] };
      families.add(type);
      hinted.set(key, families);
      if (!isHinted) tell(service, true, type, 'Topology Aware Hints has been enabled');
    },
  };
}

/** The zone that an endpoint's hint named, by its address. */
function formerZones(slices: readonly EndpointSlice[]): (one: Endpoint) => string | undefined {
  const zones = new Map<string, string>();
  for (const { endpoints = [] } of slices) {
    for (const { addresses, hints } of endpoints) {
      const zone = hints?.forZones?.[0]?.name;
      if (addresses[0] !== undefined && zone !== undefined) zones.set(addresses[0], zone);
    }
  }
  return ({ addresses }) => zones.get(addresses[0] ?? '');
}
