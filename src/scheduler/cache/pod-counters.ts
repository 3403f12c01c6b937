import type { Pod } from '#schema/types.ts';
import type { PodInfo } from '../framework/node-info.ts';

/** Selectors whose counts are kept; the one used longest ago makes room. */
const maxCounters = 256;

interface Counter {
  readonly namespace: string | undefined;
  readonly matches: (pod: Pod) => boolean;
  readonly byNode: Map<string, number>;
}

/**
 * How many pods that match something are on each node: counted once when a plugin first asks, then
 * kept up with each pod that comes and goes. The pods of one Deployment ask for the same counts
 * again and again, so no plugin needs to look at every pod of the cluster.
 */
export class PodCounters {
  readonly #counters = new Map<string, Counter>();
  readonly #placed: () => Iterable<readonly [nodeName: string, pod: PodInfo]>;

  /** `placed` lists all pods on known nodes. */
  constructor(placed: () => Iterable<readonly [nodeName: string, pod: PodInfo]>) {
    this.#placed = placed;
  }

  /**
   * Pods by node, nodes without any left out. `id` stands for the namespace (all when undefined)
   * and for `matches`, which must only look at the pod: equal ids, equal answers.
   */
  count(
    id: string,
    namespace: string | undefined,
    matches: (pod: Pod) => boolean,
  ): ReadonlyMap<string, number> {
    let counter = this.#counters.get(id);
    if (counter === undefined) {
      counter = { namespace, matches, byNode: new Map() };
      for (const [nodeName, { pod }] of this.#placed()) change(counter, nodeName, pod, 1);
      if (this.#counters.size >= maxCounters) {
        for (const oldest of this.#counters.keys()) {
          this.#counters.delete(oldest);
          break;
        }
      }
    } else {
      this.#counters.delete(id);
    }
    this.#counters.set(id, counter);
    return counter.byNode;
  }

  add(nodeName: string, { pod }: PodInfo): void {
    for (const counter of this.#counters.values()) change(counter, nodeName, pod, 1);
  }

  remove(nodeName: string, { pod }: PodInfo): void {
    for (const counter of this.#counters.values()) change(counter, nodeName, pod, -1);
  }
}

function change(counter: Counter, nodeName: string, pod: Pod, by: 1 | -1): void {
  const { namespace, matches, byNode } = counter;
  if (namespace !== undefined && namespace !== (pod.metadata.namespace ?? '')) return;
  if (!matches(pod)) return;
  const count = (byNode.get(nodeName) ?? 0) + by;
  if (count === 0) byNode.delete(nodeName);
  else byNode.set(nodeName, count);
}
