import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice } from '#schema/types.ts';
import { isSameJson } from '../json-equality.ts';
import { portsKey } from './desired-endpoints.ts';
import type { EndpointGroup } from './desired-endpoints.ts';

/** What to write for one address family of a service. */
export interface SlicePlan {
  readonly create: { ports: DiscoveryV1EndpointPort[]; endpoints: Endpoint[] }[];
  readonly update: EndpointSlice[];
  readonly remove: EndpointSlice[];
}

/**
 * The fewest writes that lead from the existing slices to the wanted endpoints, by upstream's
 * rules: endpoints stay in their slice; new ones first fill slices that are written anyway, then
 * full new slices, then the fullest other slice that has room for the rest. Existing slices that
 * nothing is left for are removed, or written anew where a new one is wanted and `isReusable` says
 * so; without any endpoint one empty slice says so.
 */
export function planSlices(
  existing: readonly EndpointSlice[],
  groups: ReadonlyMap<string, EndpointGroup>,
  maxEndpoints: number,
  isReusable: (slice: EndpointSlice) => boolean = () => true,
): SlicePlan {
  const plan: SlicePlan = { create: [], update: [], remove: [] };
  const byPorts = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = portsKey(slice.ports ?? []);
    if (!groups.has(key)) plan.remove.push(slice);
    else byPorts.set(key, [...(byPorts.get(key) ?? []), slice]);
  }
  for (const [key, group] of groups) {
    planGroup(plan, byPorts.get(key) ?? [], group, maxEndpoints);
  }
  if (groups.size > 0) return reused(plan, isReusable);
  // A slice that shows that there is nothing; one that does so already stays.
  const kept = plan.remove.findIndex(
    ({ endpoints, ports }) => (endpoints ?? []).length === 0 && (ports ?? []).length === 0,
  );
  if (kept < 0) plan.create.push({ ports: [], endpoints: [] });
  else plan.remove.splice(kept, 1);
  return reused(plan, isReusable);
}

/** A slice that would be removed becomes one that would be made: one write instead of two. */
function reused(plan: SlicePlan, isReusable: (slice: EndpointSlice) => boolean): SlicePlan {
  const create = [...plan.create];
  const update = [...plan.update];
  const remove = plan.remove.filter((slice) => {
    if (create.length === 0 || !isReusable(slice)) return true;
    const { ports, endpoints } = create.pop() as SlicePlan['create'][number];
    update.push({ ...slice, ports, endpoints });
    return false;
  });
  return { create, update, remove };
}

function endpointKey(endpoint: Endpoint): string {
  return `${endpoint.targetRef?.uid ?? ''} ${endpoint.addresses[0] ?? ''}`;
}

function planGroup(
  plan: SlicePlan,
  slices: readonly EndpointSlice[],
  group: EndpointGroup,
  maxEndpoints: number,
): void {
  const wanted = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const changed: { slice: EndpointSlice; endpoints: Endpoint[] }[] = [];
  const unchanged: EndpointSlice[] = [];
  for (const slice of slices) {
    const before = slice.endpoints ?? [];
    const endpoints: Endpoint[] = [];
    let isSame = true;
    for (const endpoint of before) {
      const key = endpointKey(endpoint);
      const next = wanted.get(key);
      wanted.delete(key);
      if (next === undefined) isSame = false;
      else if (isSameJson(endpoint, next)) endpoints.push(endpoint);
      else {
        isSame = false;
        endpoints.push(next);
      }
    }
    if (isSame) unchanged.push(slice);
    else changed.push({ slice, endpoints });
  }
  let rest = [...wanted.values()];
  const take = (room: number): Endpoint[] => rest.splice(0, Math.max(room, 0));

  for (const entry of changed.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) {
    entry.endpoints.push(...take(maxEndpoints - entry.endpoints.length));
  }
  while (rest.length >= maxEndpoints) {
    plan.create.push({ ports: group.ports, endpoints: take(maxEndpoints) });
  }
  if (rest.length > 0) {
    const target = fullestWithRoom(unchanged, rest.length, maxEndpoints);
    if (target === undefined) plan.create.push({ ports: group.ports, endpoints: rest });
    else changed.push({ slice: target, endpoints: [...(target.endpoints ?? []), ...rest] });
    rest = [];
  }
  for (const { slice, endpoints } of changed) {
    if (endpoints.length === 0) plan.remove.push(slice);
    else plan.update.push({ ...slice, endpoints });
  }
}

function fullestWithRoom(
  slices: readonly EndpointSlice[],
  needed: number,
  maxEndpoints: number,
): EndpointSlice | undefined {
  return slices
    .filter((slice) => (slice.endpoints ?? []).length + needed <= maxEndpoints)
    .toSorted((a, b) => (b.endpoints ?? []).length - (a.endpoints ?? []).length)[0];
}
