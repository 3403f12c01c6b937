import type { NodeInfo } from '../../framework/node-info.ts';
import { maxNodeScore } from '../../framework/plugin.ts';
import type { NodeScore, Snapshot } from '../../framework/plugin.ts';
import { domainOf, hostnameKey, matchingPods } from './constraints.ts';
import type { Constraint } from './constraints.ts';

interface Part {
  readonly constraint: Constraint;
  /** Matching pods by domain; by node for the hostname. */
  readonly counts: ReadonlyMap<string, number>;
  /** ln(domains + 2): a zone more says more than a node more. */
  readonly weight: number;
}

/** What scoring needs of the soft constraints of one pod. */
export interface SpreadScores {
  readonly parts: readonly Part[];
  /** Nodes without all topology keys: they score 0. */
  readonly ignored: ReadonlySet<string>;
}

/** `needsAllKeys` is false for the system's defaults, which a node without zones may meet in part. */
export function prepareScores(options: {
  constraints: readonly Constraint[];
  namespace: string;
  nodes: readonly NodeInfo[];
  snapshot: Snapshot;
  needsAllKeys: boolean;
}): SpreadScores {
  const { constraints, namespace, nodes, snapshot, needsAllKeys } = options;
  const ignored = new Set<string>();
  if (needsAllKeys) {
    for (const node of nodes) {
      if (constraints.some(({ topologyKey }) => domainOf(node, topologyKey) === undefined)) {
        ignored.add(node.name);
      }
    }
  }
  const parts = constraints.map((constraint): Part => {
    const pods = matchingPods(snapshot, namespace, constraint.selector);
    if (constraint.topologyKey === hostnameKey) {
      return { constraint, counts: pods, weight: Math.log(nodes.length - ignored.size + 2) };
    }
    const counts = new Map<string, number>();
    for (const node of nodes) {
      const domain = ignored.has(node.name) ? undefined : domainOf(node, constraint.topologyKey);
      if (domain !== undefined) counts.set(domain, 0);
    }
    for (const [nodeName, count] of pods) {
      const node = snapshot.node(nodeName);
      if (node === undefined || !constraint.counts(node.node)) continue;
      if (needsAllKeys && constraints.some(({ topologyKey }) => !hasKey(node, topologyKey))) {
        continue;
      }
      const domain = domainOf(node, constraint.topologyKey);
      const known = domain === undefined ? undefined : counts.get(domain);
      if (domain !== undefined && known !== undefined) counts.set(domain, known + count);
    }
    return { constraint, counts, weight: Math.log(counts.size + 2) };
  });
  return { parts, ignored };
}

/** The fuller the node's domains, the higher: turned round by normalizing. */
export function fullness({ parts, ignored }: SpreadScores, node: NodeInfo): number {
  if (ignored.has(node.name)) return 0;
  let sum = 0;
  for (const { constraint, counts, weight } of parts) {
    const domain = domainOf(node, constraint.topologyKey);
    if (domain === undefined) continue;
    const count = counts.get(constraint.topologyKey === hostnameKey ? node.name : domain) ?? 0;
    sum += count * weight + (constraint.maxSkew - 1);
  }
  return Math.round(sum);
}

export function normalizeFullness({ ignored }: SpreadScores, scores: NodeScore[]): void {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = 0;
  for (const { nodeName, score } of scores) {
    if (ignored.has(nodeName)) continue;
    minimum = Math.min(minimum, score);
    maximum = Math.max(maximum, score);
  }
  for (const entry of scores) {
    if (ignored.has(entry.nodeName)) entry.score = 0;
    else if (maximum === 0) entry.score = maxNodeScore;
    else entry.score = Math.floor((maxNodeScore * (maximum + minimum - entry.score)) / maximum);
  }
}

function hasKey(node: NodeInfo, topologyKey: string): boolean {
  return domainOf(node, topologyKey) !== undefined;
}
