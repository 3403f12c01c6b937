import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { ObjectChange, ObjectReader } from './authz/object-reader.ts';
import { listEntries, Selection } from './cache/mod.ts';
import type { CacheEntry, CacheEvent } from './cache/mod.ts';
import type { ResourceRegistry, ServedResource } from './resource-registry.ts';
import { servedObject } from './resource-registry.ts';

/** An ObjectReader over the watch cache: what is not loaded yet reads as absent. */
export class CacheObjectReader implements ObjectReader {
  readonly #registry: ResourceRegistry;

  constructor(registry: ResourceRegistry) {
    this.#registry = registry;
  }

  get<T extends KubeObject>(
    resource: GroupVersionResource,
    namespace: string,
    name: string,
  ): T | undefined {
    const served = this.#registry.byResource(resource);
    const cache = served?.cache;
    const entry = cache?.get(cache.keyOf(namespace, name));
    return entry === undefined ? undefined : objectOf<T>(served as ServedResource, entry);
  }

  list<T extends KubeObject>(resource: GroupVersionResource, namespace = ''): readonly T[] {
    const served = this.#registry.byResource(resource);
    if (served?.cache === undefined) return [];
    const selection = new Selection({ namespace });
    const { entries } = listEntries(served.cache, { selection, limit: 0, start: '' });
    return entries.map((entry) => objectOf<T>(served, entry));
  }

  onChange<T extends KubeObject>(
    resource: GroupVersionResource,
    listener: (change: ObjectChange<T>) => void,
  ): () => void {
    let removeListener: (() => void) | undefined;
    const follow = (): boolean => {
      const served = this.#registry.byResource(resource);
      if (served?.cache === undefined) return false;
      for (const next of this.list<T>(resource)) listener({ next, previous: undefined });
      removeListener = served.cache.onChange(({ type, entry, previous }: CacheEvent) =>
        listener({
          next: type === 'DELETED' ? undefined : objectOf<T>(served, entry),
          previous: previous === undefined ? undefined : objectOf<T>(served, previous),
        }),
      );
      return true;
    };
    // Authorizers are made before the resources that they read are added.
    if (!follow()) {
      const stopWaiting = this.#registry.onChange(() => {
        if (follow()) stopWaiting();
      });
      removeListener ??= stopWaiting;
    }
    return () => removeListener?.();
  }
}

function objectOf<T extends KubeObject>(served: ServedResource, entry: CacheEntry): T {
  return servedObject(served, entry) as KubeObject as T;
}
