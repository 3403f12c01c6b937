import type { CacheEntry } from './entry.ts';
import { SortedEntries } from './sorted-entries.ts';

const sampledGroups = 4;
const sampledItems = 4;

/** Every object of a kind, by key and by namespace in key order. */
export class AllEntries {
  readonly #namespaced: boolean;
  readonly #byKey = new Map<string, CacheEntry>();
  readonly #namespaces = new Map<string, SortedEntries>();
  /** The values of #namespaces in key order. */
  #ordered: SortedEntries[] = [];

  constructor(namespaced: boolean) {
    this.#namespaced = namespaced;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): CacheEntry | undefined {
    return this.#byKey.get(key);
  }

  /** Groups that hold entries of `namespace` (all when empty), in key order. */
  groups(namespace: string): readonly SortedEntries[] {
    if (namespace === '' || !this.#namespaced) return this.#ordered;
    const group = this.#namespaces.get(namespace);
    return group === undefined ? [] : [group];
  }

  /** Mean size of a few objects; exact sums would cost every write something. */
  averageBytes(): number {
    let bytes = 0;
    let count = 0;
    for (const { items } of this.#ordered.slice(0, sampledGroups)) {
      const step = Math.max(1, Math.floor(items.length / sampledItems));
      for (let i = 0; i < items.length; i += step) {
        bytes += (items[i] as CacheEntry).bytes.length;
        count++;
      }
    }
    return count === 0 ? 0 : bytes / count;
  }

  /** Forgets everything and gives it back. */
  clear(): ReadonlyMap<string, CacheEntry> {
    const before = new Map(this.#byKey);
    this.#byKey.clear();
    this.#namespaces.clear();
    this.#ordered = [];
    return before;
  }

  entries(): Iterable<[string, CacheEntry]> {
    return this.#byKey;
  }

  put(entry: CacheEntry): void {
    this.#byKey.set(entry.key, entry);
    let group = this.#namespaces.get(entry.namespace);
    if (group === undefined) {
      group = new SortedEntries(entry.namespace);
      this.#namespaces.set(entry.namespace, group);
      this.#ordered.push(group);
      this.#ordered.sort((a, b) => (a.orderKey < b.orderKey ? -1 : 1));
    }
    group.put(entry);
  }

  remove(entry: CacheEntry): void {
    if (!this.#byKey.delete(entry.key)) return;
    const group = this.#namespaces.get(entry.namespace);
    if (group === undefined) return;
    group.delete(entry.name);
    if (group.items.length > 0) return;
    this.#namespaces.delete(entry.namespace);
    this.#ordered.splice(this.#ordered.indexOf(group), 1);
  }
}
