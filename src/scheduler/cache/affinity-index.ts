import type { PodInfo } from '../framework/node-info.ts';
import type { AffinityTerm } from '../framework/pod-affinity.ts';

export type AffinityKind = 'required' | 'requiredAnti' | 'preferred' | 'preferredAnti';

/** A term that placed pods have, and how many of them on which node. */
export interface PlacedTerm {
  readonly kind: AffinityKind;
  readonly term: AffinityTerm;
  /** 0 for required terms. */
  readonly weight: number;
  readonly byNode: ReadonlyMap<string, number>;
}

interface Entry extends PlacedTerm {
  readonly byNode: Map<string, number>;
}

/**
 * The pod affinity terms of all placed pods, equal ones together: the pods of a Deployment share
 * theirs, so a new pod is compared with a handful of terms and not with every pod.
 */
export class AffinityIndex {
  readonly #entries = new Map<string, Entry>();

  get terms(): Iterable<PlacedTerm> {
    return this.#entries.values();
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  add(nodeName: string, pod: PodInfo): void {
    this.#change(nodeName, pod, 1);
  }

  remove(nodeName: string, pod: PodInfo): void {
    this.#change(nodeName, pod, -1);
  }

  #change(nodeName: string, { affinity }: PodInfo, by: 1 | -1): void {
    if (affinity === undefined) return;
    for (const kind of ['required', 'requiredAnti'] as const) {
      for (const term of affinity[kind]) this.#count(kind, term, 0, nodeName, by);
    }
    for (const kind of ['preferred', 'preferredAnti'] as const) {
      for (const { term, weight } of affinity[kind]) this.#count(kind, term, weight, nodeName, by);
    }
  }

  #count(kind: AffinityKind, term: AffinityTerm, weight: number, nodeName: string, by: 1 | -1) {
    const id = `${kind}|${weight}|${term.id}`;
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { kind, term, weight, byNode: new Map() };
      this.#entries.set(id, entry);
    }
    const count = (entry.byNode.get(nodeName) ?? 0) + by;
    if (count === 0) entry.byNode.delete(nodeName);
    else entry.byNode.set(nodeName, count);
    if (entry.byNode.size === 0) this.#entries.delete(id);
  }
}
