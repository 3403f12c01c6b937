import type { Node } from '#schema/types.ts';

/** The zone of a node, its region before it; '' for nodes that tell neither. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const zone =
    labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? '';
  const region =
    labels['topology.kubernetes.io/region'] ??
    labels['failure-domain.beta.kubernetes.io/region'] ??
    '';
  return zone === '' && region === '' ? '' : `${region}:${zone}`;
}

/** One node of each zone in turn until none is left; inside a zone as given. Same as upstream's. */
export function interleaveZones<T extends { readonly node: Node }>(nodes: readonly T[]): T[] {
  const zones = new Map<string, T[]>();
  for (const node of nodes) {
    const zone = zoneOf(node.node);
    const known = zones.get(zone);
    if (known === undefined) zones.set(zone, [node]);
    else known.push(node);
  }
  if (zones.size === 1) return [...nodes];
  const longest = Math.max(0, ...[...zones.values()].map(({ length }) => length));
  const result: T[] = [];
  for (let index = 0; index < longest; index++) {
    for (const zone of zones.values()) {
      const node = zone[index];
      if (node !== undefined) result.push(node);
    }
  }
  return result;
}
