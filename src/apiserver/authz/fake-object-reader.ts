import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';

import type { ObjectChange, ObjectReader } from './object-reader.ts';

type Listener = (change: ObjectChange<KubeObject>) => void;

/** An ObjectReader over a plain map, for tests: what is put is there at once. */
export class FakeObjectReader implements ObjectReader {
  #objects = new Map<string, Map<string, KubeObject>>();
  #listeners = new Map<string, Set<Listener>>();

  put(resource: GroupVersionResource, ...objects: KubeObject[]): void {
    for (const object of objects) {
      const store = this.#storeOf(resource);
      const key = keyOf(object.metadata.namespace ?? '', object.metadata.name ?? '');
      const previous = store.get(key);
      store.set(key, object);
      this.#tell(resource, { next: object, previous });
    }
  }

  remove(resource: GroupVersionResource, namespace: string, name: string): void {
    const store = this.#storeOf(resource);
    const previous = store.get(keyOf(namespace, name));
    if (previous === undefined) return;
    store.delete(keyOf(namespace, name));
    this.#tell(resource, { next: undefined, previous });
  }

  get<T extends KubeObject>(
    resource: GroupVersionResource,
    namespace: string,
    name: string,
  ): T | undefined {
    return this.#storeOf(resource).get(keyOf(namespace, name)) as T | undefined;
  }

  list<T extends KubeObject>(resource: GroupVersionResource, namespace?: string): readonly T[] {
    const all = [...this.#storeOf(resource).values()] as T[];
    if (namespace === undefined) return all;
    return all.filter((object) => object.metadata.namespace === namespace);
  }

  onChange<T extends KubeObject>(
    resource: GroupVersionResource,
    listener: (change: ObjectChange<T>) => void,
  ): () => void {
    for (const next of this.list<T>(resource)) listener({ next, previous: undefined });
    const key = resourceKey(resource);
    const listeners = this.#listeners.get(key) ?? new Set<Listener>();
    this.#listeners.set(key, listeners);
    listeners.add(listener as Listener);
    return () => void listeners.delete(listener as Listener);
  }

  #storeOf(resource: GroupVersionResource): Map<string, KubeObject> {
    const key = resourceKey(resource);
    let store = this.#objects.get(key);
    if (store === undefined) this.#objects.set(key, (store = new Map<string, KubeObject>()));
    return store;
  }

  #tell(resource: GroupVersionResource, change: ObjectChange<KubeObject>): void {
    for (const listener of this.#listeners.get(resourceKey(resource)) ?? []) listener(change);
  }
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
const resourceKey = (resource: GroupVersionResource): string =>
  `${resource.group}/${resource.resource}`;
