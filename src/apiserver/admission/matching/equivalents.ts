import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { internalError } from '../../api-errors.ts';
import type { ResourceRegistry } from '../../resource-registry.ts';

/** Other groups and versions under which the same objects are served. */
export interface EquivalentResources {
  of(resource: ResourceInfo, subresource: string): readonly ResourceInfo[];
  /** The object as another version shows it: a new object, or the same one for the same version. */
  convert(
    object: UnknownObject,
    from: ResourceInfo,
    to: ResourceInfo,
  ): Promise<UnknownObject> | UnknownObject;
  /** Called after the set of resources changed. */
  onChange(listener: () => void): () => void;
}

/** Resources are equivalent when they are kept in the same place of the store. */
export function createEquivalentResources(registry: ResourceRegistry): EquivalentResources {
  let byPrefix: Map<string, ResourceInfo[]> | undefined;
  registry.onChange(() => {
    byPrefix = undefined;
  });
  const index = (): Map<string, ResourceInfo[]> => {
    if (byPrefix !== undefined) return byPrefix;
    byPrefix = new Map();
    for (const info of registry.all()) {
      const same = byPrefix.get(info.storagePrefix);
      if (same === undefined) byPrefix.set(info.storagePrefix, [info]);
      else same.push(info);
    }
    return byPrefix;
  };
  return {
    of(resource, subresource) {
      if (resource.storagePrefix === '') return [];
      const same = index().get(resource.storagePrefix) ?? [];
      return same.filter((info) => info !== resource && hasSubresource(info, subresource));
    },
    async convert(object, from, to) {
      if (from === to) return object;
      const source = registry.byResource(from);
      const target = registry.byResource(to);
      if (source === undefined || target === undefined) {
        throw internalError(`unable to convert to ${to.group}/${to.version}: unknown kind`);
      }
      if (target.custom !== undefined) return await target.custom.fromVersion(object);
      const stored = source.conversion?.toStored(object) ?? object;
      return target.conversion?.toServed(stored) ?? stored;
    },
    onChange: (listener) => registry.onChange(listener),
  };
}

function hasSubresource(info: ResourceInfo, subresource: string): boolean {
  return subresource === '' || info.subresources.some((one) => one.name === subresource);
}
