import { createTokenBucket } from '#client/mod.ts';
import type { TokenBucket } from '#client/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Node } from '#schema/types.ts';
import type { EvictionRules } from '../context.ts';
import { nodeCondition } from './node-taints.ts';
import type { ZoneMetrics } from './zone-metrics.ts';

/** Upstream's. */
const defaultRules: EvictionRules = {
  perSecond: 0.1,
  slowPerSecond: 0.01,
  unhealthyShare: 0.55,
  largeZoneNodes: 50,
};

/** Nodes with this label do not count when a zone is judged. */
const excludedLabel = 'node.kubernetes.io/exclude-disruption';

type ZoneState = 'normal' | 'partial' | 'full';

function zoneOf(node: Node): string {
  const { labels = {} } = node.metadata;
  const region = labels['topology.kubernetes.io/region'] ?? '';
  return `${region}:\x00:${labels['topology.kubernetes.io/zone'] ?? ''}`;
}

function stateOf(ready: number, notReady: number, unhealthyShare: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'full';
  return notReady > 2 && notReady / (ready + notReady) >= unhealthyShare ? 'partial' : 'normal';
}

/** Decides which nodes' pods may be sent away now. */
export interface EvictionPace {
  /** Counts the zones anew; true when no node at all is ready, so that the fault is likely ours. */
  update(nodes: readonly Node[]): boolean;
  /** Takes a turn of the node's zone; false while it has to wait. */
  mayEvict(node: Node): boolean;
}

/** Slow where many nodes of a zone are silent at once: the network is then the likelier fault. */
export function createEvictionPace(
  clock: Clock,
  metrics: ZoneMetrics,
  rules: Partial<EvictionRules> = {},
): EvictionPace {
  const {
    perSecond: normal,
    slowPerSecond,
    unhealthyShare,
    largeZoneNodes,
  } = {
    ...defaultRules,
    ...rules,
  };
  const zones = new Map<string, { perSecond: number; bucket: TokenBucket | undefined }>();
  const setPace = (zone: string, perSecond: number): void => {
    if (zones.get(zone)?.perSecond === perSecond) return;
    const bucket = perSecond === 0 ? undefined : createTokenBucket({ clock, perSecond, burst: 1 });
    zones.set(zone, { perSecond, bucket });
  };
  return {
    update(nodes) {
      const counts = new Map<string, { ready: number; notReady: number }>();
      for (const node of nodes) {
        if (node.metadata.labels?.[excludedLabel] !== undefined) continue;
        const zone = zoneOf(node);
        const count = counts.get(zone) ?? { ready: 0, notReady: 0 };
        if (nodeCondition(node, 'Ready')?.status === 'True') count.ready += 1;
        else count.notReady += 1;
        counts.set(zone, count);
      }
      for (const zone of zones.keys()) if (!counts.has(zone)) zones.delete(zone);
      const states: ZoneState[] = [];
      for (const [zone, { ready, notReady }] of counts) {
        const state = stateOf(ready, notReady, unhealthyShare);
        states.push(state);
        const slow = ready + notReady > largeZoneNodes ? slowPerSecond : 0;
        setPace(zone, state === 'partial' ? slow : normal);
        metrics.seen(zone, ready, notReady);
      }
      return states.length > 0 && states.every((state) => state === 'full');
    },
    mayEvict(node) {
      const zone = zoneOf(node);
      const isTurn = zones.get(zone)?.bucket?.take() === true;
      if (isTurn) metrics.evicted(zone);
      return isTurn;
    },
  };
}
