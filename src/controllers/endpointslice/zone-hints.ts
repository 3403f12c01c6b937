import { milliValue, parseQuantity } from '#base/quantity.ts';
import type { Endpoint, Node, Service } from '#schema/types.ts';

const zoneLabel = 'topology.kubernetes.io/zone';
const excludedLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
const modeAnnotations = [
  'service.kubernetes.io/topology-aware-hints',
  'service.kubernetes.io/topology-mode',
];
/** How much more than its share an endpoint may have to serve. */
const overload = 0.2;

/** Whether the service asks for hints by the size of zones. */
export function wantsZoneHints({ metadata }: Service): boolean {
  const mode = modeAnnotations
    .map((name) => metadata.annotations?.[name])
    .find((value) => value !== undefined);
  return mode === 'Auto' || mode === 'auto';
}

/** Each zone's share of the CPUs of ready nodes; undefined where that says nothing. */
export type ZoneShares = ReadonlyMap<string, number> | undefined;

export function zoneShares(nodes: readonly Node[]): ZoneShares {
  const milli = new Map<string, number>();
  let total = 0;
  for (const { metadata, status } of nodes) {
    if (excludedLabels.some((label) => metadata.labels?.[label] !== undefined)) continue;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True') continue;
    const zone = metadata.labels?.[zoneLabel] ?? '';
    const text = status?.allocatable?.['cpu'];
    const cpu = text === undefined ? 0 : milliValue(parseQuantity(text));
    // One node that nothing is known of makes all shares wrong.
    if (zone === '' || cpu === 0) return undefined;
    total += cpu;
    milli.set(zone, (milli.get(zone) ?? 0) + cpu);
  }
  if (milli.size < 2) return undefined;
  return new Map([...milli].map(([zone, value]) => [zone, value / total]));
}

/** A zone for each ready endpoint, or why there are no hints. */
export type ZoneHints =
  | { readonly zones: ReadonlyMap<Endpoint, string> }
  | { readonly problem: string };

/**
 * Parts the endpoints among the zones by their shares: most serve their own zone, some are lent to
 * zones that have too few. `formerZone` is what an endpoint's hint was: those that were lent stay.
 */
export function zoneHints(
  endpoints: readonly Endpoint[],
  shares: ZoneShares,
  formerZone: (endpoint: Endpoint) => string | undefined,
): ZoneHints {
  const ready = endpoints.filter(({ conditions }) => conditions?.ready === true);
  if (shares === undefined) {
    const what = 'allocatable CPU or zone not specified on one or more nodes';
    return { problem: `Insufficient Node information: ${what}` };
  }
  const counts = `(${ready.length} endpoints, ${shares.size} zones)`;
  if (shares.size > ready.length) {
    return { problem: `Insufficient number of endpoints ${counts}` };
  }
  const wanted = new Map<string, number>();
  let left = ready.length;
  for (const [zone, share] of shares) {
    const exact = share * ready.length;
    const least = Math.ceil(exact / (1 + overload));
    left -= least;
    wanted.set(zone, Math.max(exact, least));
  }
  if (left < 0) {
    const what = 'Unable to allocate minimum required endpoints to each zone';
    return { problem: `${what} without exceeding overload threshold ${counts}` };
  }
  if (ready.some(({ zone }) => (zone ?? '') === '')) {
    return { problem: 'One or more endpoints do not have a zone specified' };
  }
  return { zones: lend(ready, wanted, formerZone) };
}

function lend(
  ready: readonly Endpoint[],
  wanted: ReadonlyMap<string, number>,
  formerZone: (endpoint: Endpoint) => string | undefined,
): Map<Endpoint, string> {
  const zones = new Map(ready.map((endpoint) => [endpoint, endpoint.zone ?? '']));
  const has = new Map<string, number>();
  for (const zone of zones.values()) has.set(zone, (has.get(zone) ?? 0) + 1);
  const over = new Map<string, number>();
  const under = new Map<string, number>();
  for (const [zone, target] of wanted) {
    const excess = (has.get(zone) ?? 0) - target;
    if (excess > 0) over.set(zone, excess);
    else if (excess < 0) under.set(zone, -excess);
  }
  for (;;) {
    const [giver, toGive] = most(over);
    const [taker, toTake] = most(under);
    const isLittle = toGive < 1 && toTake < 1;
    if (giver === '' || taker === '' || isLittle || toGive < 0.5 || toTake < 0.5) break;
    over.set(giver, toGive - 1);
    under.set(taker, toTake - 1);
    const own = ready.filter((one) => one.zone === giver && zones.get(one) === giver);
    const lent = own.find((one) => formerZone(one) === taker) ?? own.at(-1);
    if (lent === undefined) break;
    zones.set(lent, taker);
  }
  return zones;
}

function most(zones: ReadonlyMap<string, number>): [string, number] {
  let found: [string, number] = ['', 0];
  for (const entry of zones) if (entry[1] > found[1]) found = entry;
  return found;
}
