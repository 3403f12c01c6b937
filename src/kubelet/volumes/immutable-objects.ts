import type { ConfigMap, Secret } from '#schema/types.ts';
import type { ObjectReader } from '../containers/environment.ts';

/** Remembers immutable objects for as long as a pod lives, so that they are read once. */
export interface ImmutableObjects {
  /** Reads for a pod. */
  readerOf(podUid: string): ObjectReader;
  forget(podUid: string): void;
}

export function createImmutableObjects(objects: ObjectReader): ImmutableObjects {
  const known = new Map<string, Map<string, ConfigMap | Secret>>();
  const read = async <T extends ConfigMap | Secret>(
    podUid: string,
    key: string,
    ask: () => Promise<T>,
  ): Promise<T> => {
    const found = known.get(podUid)?.get(key);
    if (found !== undefined) return found as T;
    const object = await ask();
    if (object.immutable === true) {
      const ofPod = known.get(podUid) ?? new Map<string, ConfigMap | Secret>();
      known.set(podUid, ofPod.set(key, object));
    }
    return object;
  };
  return {
    readerOf: (podUid) => ({
      configMap: (namespace, name) =>
        read(podUid, `configmap/${namespace}/${name}`, () => objects.configMap(namespace, name)),
      secret: (namespace, name) =>
        read(podUid, `secret/${namespace}/${name}`, () => objects.secret(namespace, name)),
    }),
    forget: (podUid) => void known.delete(podUid),
  };
}
