import type { NodeInfo } from '../../framework/node-info.ts';
import type { Snapshot } from '../../framework/plugin.ts';

/** Numbers by topology key and value, such as how many pods match in each zone. */
export class TopologyCounts {
  readonly #byKey = new Map<string, Map<string, number>>();

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  /** The number of the domain that the node is in; 0 when it is in none. */
  at(node: NodeInfo, topologyKey: string): number {
    const domain = node.node.metadata.labels?.[topologyKey];
    return domain === undefined ? 0 : (this.#byKey.get(topologyKey)?.get(domain) ?? 0);
  }

  add(node: NodeInfo, topologyKey: string, by: number): void {
    const domain = node.node.metadata.labels?.[topologyKey];
    if (domain === undefined || by === 0) return;
    const counts = this.#byKey.get(topologyKey) ?? new Map<string, number>();
    const count = (counts.get(domain) ?? 0) + by;
    if (count === 0) counts.delete(domain);
    else counts.set(domain, count);
    if (counts.size === 0) this.#byKey.delete(topologyKey);
    else this.#byKey.set(topologyKey, counts);
  }

  /** `add` for each node of `byNode`, its number times `factor`. */
  addAll(
    snapshot: Snapshot,
    byNode: ReadonlyMap<string, number>,
    topologyKey: string,
    factor: number,
  ): void {
    for (const [nodeName, count] of byNode) {
      const node = snapshot.node(nodeName);
      if (node !== undefined) this.add(node, topologyKey, count * factor);
    }
  }

  /** The sum over all keys for one node. */
  sumAt(node: NodeInfo): number {
    let sum = 0;
    for (const key of this.#byKey.keys()) sum += this.at(node, key);
    return sum;
  }

  clone(): TopologyCounts {
    const copy = new TopologyCounts();
    for (const [key, counts] of this.#byKey) copy.#byKey.set(key, new Map(counts));
    return copy;
  }
}
