import type { KubeObject } from '#schema/mod.ts';
import { objectKey } from './object-key.ts';

interface Index<T> {
  indexer: (object: T) => readonly string[];
  buckets: Map<string, Map<string, T>>;
}

/** Name of the index that listNamespace uses; built when it is first asked for. */
const namespaceIndex = ' namespace';

/** The copy behind an informer: objects by key, and by the values of its indexes. */
export interface ObjectStore<T extends KubeObject> {
  readonly size: number;
  get(key: string): T | undefined;
  set(object: T): void;
  remove(key: string): void;
  keys(): string[];
  list(): T[];
  listNamespace(namespace: string): T[];
  byIndex(index: string, value: string): T[];
  addIndex(name: string, indexer: (object: T) => readonly string[]): void;
}

export function createObjectStore<T extends KubeObject>(): ObjectStore<T> {
  const objects = new Map<string, T>();
  const indexes = new Map<string, Index<T>>();

  const insert = (index: Index<T>, key: string, object: T): void => {
    for (const value of index.indexer(object)) {
      let bucket = index.buckets.get(value);
      if (bucket === undefined) index.buckets.set(value, (bucket = new Map()));
      bucket.set(key, object);
    }
  };
  const withdraw = (index: Index<T>, key: string, object: T): void => {
    for (const value of index.indexer(object)) {
      const bucket = index.buckets.get(value);
      if (bucket?.delete(key) === true && bucket.size === 0) index.buckets.delete(value);
    }
  };
  const addIndex = (name: string, indexer: (object: T) => readonly string[]): void => {
    if (indexes.has(name)) return;
    const index: Index<T> = { indexer, buckets: new Map() };
    for (const [key, object] of objects) insert(index, key, object);
    indexes.set(name, index);
  };
  const byIndex = (name: string, value: string): T[] => {
    const index = indexes.get(name);
    if (index === undefined) throw new Error(`informer has no index "${name}"`);
    const bucket = index.buckets.get(value);
    return bucket === undefined ? [] : [...bucket.values()];
  };

  return {
    get size() {
      return objects.size;
    },
    get: (key) => objects.get(key),
    set(object) {
      const key = objectKey(object);
      const old = objects.get(key);
      objects.set(key, object);
      for (const index of indexes.values()) {
        if (old !== undefined) withdraw(index, key, old);
        insert(index, key, object);
      }
    },
    remove(key) {
      const old = objects.get(key);
      if (old === undefined) return;
      objects.delete(key);
      for (const index of indexes.values()) withdraw(index, key, old);
    },
    keys: () => [...objects.keys()],
    list: () => [...objects.values()],
    listNamespace(namespace) {
      addIndex(namespaceIndex, (object) => [object.metadata.namespace ?? '']);
      return byIndex(namespaceIndex, namespace);
    },
    byIndex,
    addIndex,
  };
}
