import type { NodeInfo, PodInfo } from '../../framework/node-info.ts';
import type { Snapshot } from '../../framework/plugin.ts';
import { countsFor, domainOf, matchingPods } from './constraints.ts';
import type { Constraint } from './constraints.ts';

/** Matching pods by domain for one hard constraint; changes with what preemption tries out. */
export class DomainCounts {
  readonly constraint: Constraint;
  readonly #counts: Map<string, number>;
  #minimum: number | undefined;

  constructor(constraint: Constraint, counts: Map<string, number>) {
    this.constraint = constraint;
    this.#counts = counts;
  }

  /** By how much the domain would be fuller than the emptiest one with the pod in it. */
  skewIn(domain: string): number {
    const { selfMatch } = this.constraint;
    return (this.#counts.get(domain) ?? 0) + selfMatch - this.#globalMinimum();
  }

  change(namespace: string, { pod }: PodInfo, node: NodeInfo, by: 1 | -1): void {
    const { constraint } = this;
    if ((pod.metadata.namespace ?? '') !== namespace) return;
    if (!countsFor(constraint.selector, pod)) return;
    const domain = domainOf(node, constraint.topologyKey);
    const known = domain === undefined ? undefined : this.#counts.get(domain);
    if (domain === undefined || known === undefined || !constraint.counts(node.node)) return;
    this.#counts.set(domain, known + by);
    this.#minimum = undefined;
  }

  clone(): DomainCounts {
    return new DomainCounts(this.constraint, new Map(this.#counts));
  }

  #globalMinimum(): number {
    if (this.#counts.size < this.constraint.minDomains) return 0;
    if (this.#minimum === undefined) {
      let minimum = Number.POSITIVE_INFINITY;
      for (const count of this.#counts.values()) minimum = Math.min(minimum, count);
      this.#minimum = minimum === Number.POSITIVE_INFINITY ? 0 : minimum;
    }
    return this.#minimum;
  }
}

/** The counts of all hard constraints of a pod, under one key of the cycle state. */
export class SpreadState {
  readonly all: readonly DomainCounts[];

  constructor(all: readonly DomainCounts[]) {
    this.all = all;
  }

  clone(): SpreadState {
    return new SpreadState(this.all.map((counts) => counts.clone()));
  }
}

/** Counts the domains of all nodes that have every topology key and count for the constraint. */
export function countDomains(
  constraints: readonly Constraint[],
  namespace: string,
  snapshot: Snapshot,
): SpreadState {
  const pods = constraints.map(({ selector }) => matchingPods(snapshot, namespace, selector));
  const domains = constraints.map(() => new Map<string, number>());
  for (const node of snapshot.nodes) {
    if (constraints.some(({ topologyKey }) => domainOf(node, topologyKey) === undefined)) continue;
    for (const [index, { topologyKey, counts }] of constraints.entries()) {
      if (!counts(node.node)) continue;
      const domain = domainOf(node, topologyKey) ?? '';
      const own = domains[index] as Map<string, number>;
      own.set(domain, (own.get(domain) ?? 0) + (pods[index]?.get(node.name) ?? 0));
    }
  }
  return new SpreadState(
    constraints.map((constraint, index) => {
      return new DomainCounts(constraint, domains[index] as Map<string, number>);
    }),
  );
}
