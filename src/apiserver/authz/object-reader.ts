import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';

/** One change of an object: `next` is absent when it is gone, `previous` when it is new. */
export interface ObjectChange<T extends KubeObject> {
  readonly next: T | undefined;
  readonly previous: T | undefined;
}

/**
 * What authentication, authorization, admission and the allocators see of the cluster: the watch
 * cache, read without waiting. Objects are shared and read-only. A resource that is not served
 * reads as empty.
 */
export interface ObjectReader {
  /** `namespace` is empty for cluster-scoped objects. */
  get<T extends KubeObject>(
    resource: GroupVersionResource,
    namespace: string,
    name: string,
  ): T | undefined;
  /** All objects, or those of one namespace. */
  list<T extends KubeObject>(resource: GroupVersionResource, namespace?: string): readonly T[];
  /**
   * First calls `listener` for every object there is, then after each change, in revision order and
   * after `get` shows it. Returns the remover.
   */
  onChange<T extends KubeObject>(
    resource: GroupVersionResource,
    listener: (change: ObjectChange<T>) => void,
  ): () => void;
  /**
   * Reads past the cache. Asked only before a refusal, when another server may have written what
   * this cache has not seen yet; left out where the cache is always the newest.
   */
  getNewest?<T extends KubeObject>(
    resource: GroupVersionResource,
    namespace: string,
    name: string,
  ): Promise<T | undefined>;
}

/** The object from the cache, else past it when the reader can do that. */
export async function getOrRefresh<T extends KubeObject>(
  reader: ObjectReader,
  resource: GroupVersionResource,
  namespace: string,
  name: string,
): Promise<T | undefined> {
  const cached = reader.get<T>(resource, namespace, name);
  if (cached !== undefined || reader.getNewest === undefined) return cached;
  return await reader.getNewest<T>(resource, namespace, name);
}
