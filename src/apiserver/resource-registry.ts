import type { GroupVersionResource, ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { groupVersion } from '#schema/mod.ts';
import type { CacheEntry } from './cache/mod.ts';
import { ByteLayout, PrefixCache, VersionedLayout } from './cache/mod.ts';
import type { WatchCache } from './cache/mod.ts';
import type { CustomKind } from './custom-kind.ts';
import type { KindHooks, KindHookTable } from './kinds/kind-hooks.ts';
import { qualified } from './api-errors.ts';
import { conversionOf } from './storage/conversions.ts';
import type { Conversion } from './storage/conversion.ts';
import { uncachedKinds } from './storage/uncached-kinds.ts';

/** One resource in one version, ready to be asked for. */
export interface ServedResource {
  readonly info: ResourceInfo;
  /** Shared by all versions of the resource. Absent for reviews and other kinds never stored. */
  readonly cache: PrefixCache | undefined;
  readonly hooks: KindHooks;
  /** Absent when the served version is the stored one. */
  readonly conversion: Conversion | undefined;
  /** Of resources that a CustomResourceDefinition declares. */
  readonly custom: CustomKind | undefined;
  /** Byte form of the served version. */
  readonly layout: ByteLayout;
}

/**
 * Makes entries ready for servedObject and servedBytes; undefined when they are. Only custom
 * resources that a webhook converts have to be waited for; rejects with an ApiStatusError.
 */
export function prepareEntries(
  served: ServedResource,
  entries: readonly CacheEntry[],
): Promise<void> | undefined {
  return served.custom?.prepare(entries);
}

/** The object of an entry in the served version; shared and read-only. */
export function servedObject(served: ServedResource, entry: CacheEntry): UnknownObject {
  if (served.custom !== undefined) return served.custom.objectOf(entry);
  const stored = entry.object();
  return served.conversion === undefined ? stored : served.conversion.toServed(stored);
}

/** The bytes of an entry in the served version. */
export function servedBytes(served: ServedResource, entry: CacheEntry): Buffer {
  if (served.custom !== undefined) return served.custom.bytesOf(entry);
  if (served.conversion === undefined) return entry.bytes;
  return served.layout.encode(servedObject(served, entry)).bytes(entry.revision);
}

/**
 * The resources that the server serves: the built-in ones, and those that definitions add and take
 * away while it runs.
 */
export class ResourceRegistry {
  readonly #watchCache: WatchCache;
  #hooks: KindHookTable = {};
  readonly #decodeForeign: (value: Buffer) => UnknownObject;
  readonly #byPath = new Map<string, ServedResource>();
  readonly #byKind = new Map<string, ServedResource>();
  readonly #caches = new Map<string, PrefixCache>();
  readonly #listeners = new Set<() => void>();

  constructor(options: {
    watchCache: WatchCache;
    decodeForeign: (value: Buffer) => UnknownObject;
  }) {
    this.#watchCache = options.watchCache;
    this.#decodeForeign = options.decodeForeign;
  }

  /** The hooks of kinds that are added from now on. */
  setHooks(hooks: KindHookTable): void {
    this.#hooks = hooks;
  }

  /**
   * Adds resources, or replaces those of the same group, version and name. `custom` makes what a
   * definition says of each; built-in resources have none.
   */
  add(infos: readonly ResourceInfo[], custom?: (info: ResourceInfo) => CustomKind): void {
    for (const info of infos) {
      const served: ServedResource = {
        info,
        cache: this.#cacheOf(info, infos, custom !== undefined),
        hooks: this.#hooks[qualified(info)] ?? {},
        conversion: custom === undefined ? conversionOf(info) : undefined,
        custom: custom?.(info),
        layout: new ByteLayout(info),
      };
      this.#byPath.set(pathOf(info), served);
      this.#byKind.set(`${groupVersion(info)}/${info.kind}`, served);
    }
    for (const listener of this.#listeners) listener();
  }

  /** Takes resources away; `isGone` says that their objects' cache is of no more use. */
  remove(resources: readonly ResourceInfo[], isGone: boolean): void {
    for (const info of resources) {
      this.#byPath.delete(pathOf(info));
      this.#byKind.delete(`${groupVersion(info)}/${info.kind}`);
      if (!isGone || !this.#caches.delete(info.storagePrefix)) continue;
      this.#watchCache.remove(info.storagePrefix);
    }
    for (const listener of this.#listeners) listener();
  }

  byResource(resource: GroupVersionResource): ServedResource | undefined {
    return this.#byPath.get(pathOf(resource));
  }

  byKind(apiVersion: string, kind: string): ServedResource | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  all(): ResourceInfo[] {
    return [...this.#byPath.values()].map((served) => served.info);
  }

  /** Calls `listener` after each change of the set; returns the remover. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #cacheOf(
    info: ResourceInfo,
    all: readonly ResourceInfo[],
    isCustom: boolean,
  ): PrefixCache | undefined {
    const prefix = info.storagePrefix;
    if (prefix === '') return undefined;
    const known = this.#caches.get(prefix);
    if (known !== undefined) return known;
    const sharing = all.filter((other) => other.storagePrefix === prefix);
    const cache = new PrefixCache({
      prefix,
      namespaced: info.namespaced,
      layout: isCustom ? new VersionedLayout(info.storage) : new ByteLayout(info.storage),
      selectableFields: isCustom
        ? []
        : [...new Set(sharing.flatMap((other) => other.selectableFields))],
      decodeForeign: this.#decodeForeign,
      ringEvents: 4096,
      ringBytes: 8 * 1024 * 1024,
      isUncached: !isCustom && sharing.some((other) => uncachedKinds.has(qualified(other))),
    });
    this.#caches.set(prefix, cache);
    return cache;
  }
}

function pathOf(of: GroupVersionResource): string {
  return `${of.group}/${of.version}/${of.resource}`;
}
