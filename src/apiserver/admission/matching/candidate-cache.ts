import type { ResourceInfo } from '#schema/mod.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/** Most resources whose candidates are kept. */
const maxResources = 2048;

/**
 * What concerns a kind of request (resource in its version, subresource, operation), worked out
 * once and kept until somebody clears it. Asked for every write, so it makes no keys.
 */
export class CandidateCache<T> {
  readonly #byResource = new Map<ResourceInfo, Map<string, readonly T[]>>();

  get(attributes: AdmissionAttributes, find: () => readonly T[]): readonly T[] {
    const { operation, subresource, context } = attributes;
    const { resource } = context;
    let byKind = this.#byResource.get(resource);
    if (byKind === undefined) {
      if (this.#byResource.size >= maxResources) this.#byResource.clear();
      byKind = new Map();
      this.#byResource.set(resource, byKind);
    }
    const key = subresource === '' ? operation : `${operation}/${subresource}`;
    let known = byKind.get(key);
    if (known === undefined) byKind.set(key, (known = find()));
    return known;
  }

  clear(): void {
    this.#byResource.clear();
  }
}
