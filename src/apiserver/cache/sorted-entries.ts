import type { CacheEntry } from './entry.ts';

/** Entries of one namespace in order of name. Not safe to change while it is iterated. */
export class SortedEntries {
  readonly namespace: string;
  /** Where the namespace stands among others: `ns/` compares as whole store keys do. */
  readonly orderKey: string;
  readonly items: CacheEntry[] = [];

  constructor(namespace: string) {
    this.namespace = namespace;
    this.orderKey = `${namespace}/`;
  }

  /** Index of the first entry whose name is not below `name`. */
  lowerBound(name: string): number {
    const { items } = this;
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((items[middle] as CacheEntry).name < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  put(entry: CacheEntry): void {
    const { items } = this;
    const last = items[items.length - 1];
    if (last === undefined || last.name < entry.name) {
      items.push(entry);
      return;
    }
    const index = this.lowerBound(entry.name);
    if (items[index]?.name === entry.name) items[index] = entry;
    else items.splice(index, 0, entry);
  }

  delete(name: string): void {
    const index = this.lowerBound(name);
    if (this.items[index]?.name === name) this.items.splice(index, 1);
  }
}
