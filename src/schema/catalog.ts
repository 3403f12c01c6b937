import table from './generated/resources.json' with { type: 'json' };
import type { GroupVersionKind, GroupVersionResource } from './object.ts';
import { parseGroupVersion } from './object.ts';
import type { ResourceInfo, SubresourceInfo } from './resource-info.ts';

export interface GroupInfo {
  readonly group: string;
  /** Served versions, the preferred one first. */
  readonly versions: readonly string[];
  readonly preferredVersion: string;
  /** groupPriorityMinimum of the group's APIServices. */
  readonly priority: number;
}

/** The built-in resources that are served. Custom resources are kept elsewhere, by the API server. */
export interface ResourceCatalog {
  readonly all: readonly ResourceInfo[];
  byResource(gvr: GroupVersionResource): ResourceInfo | undefined;
  byKind(gvk: GroupVersionKind): ResourceInfo | undefined;
  /** In discovery order, the core group first. */
  groups(): readonly GroupInfo[];
}

interface SubresourceEntry {
  name: string;
  kind: string;
  group?: string;
  version?: string;
  verbs: string[];
}

interface ResourceEntry {
  group: string;
  version: string;
  resource: string;
  kind: string;
  singular: string;
  listKind?: string;
  namespaced?: boolean;
  shortNames?: string[];
  categories?: string[];
  verbs: string[];
  typeName: string;
  storagePrefix?: string;
  storage?: string;
  hash?: string;
  selectable?: string[];
  createOnUpdate?: boolean;
  conditionalUpdate?: boolean;
  orphan?: boolean;
  subresources?: SubresourceEntry[];
}

function readSubresource(entry: SubresourceEntry, parent: ResourceEntry): SubresourceInfo {
  const { name, kind, verbs, group = parent.group, version = parent.version } = entry;
  return { name, kind, group, version, verbs };
}

function readResource(entry: ResourceEntry): ResourceInfo {
  const { group, version, resource, kind } = entry;
  return {
    group,
    version,
    resource,
    kind,
    singular: entry.singular,
    listKind: entry.listKind ?? '',
    namespaced: entry.namespaced === true,
    shortNames: entry.shortNames ?? [],
    categories: entry.categories ?? [],
    verbs: entry.verbs,
    subresources: (entry.subresources ?? []).map((sub) => readSubresource(sub, entry)),
    typeName: entry.typeName,
    storagePrefix: entry.storagePrefix ?? '',
    storage:
      entry.storage === undefined
        ? { group, version, kind }
        : { ...parseGroupVersion(entry.storage.replace(/^\//, '')), kind },
    storageVersionHash: entry.hash ?? '',
    selectableFields: entry.selectable ?? [],
    allowCreateOnUpdate: entry.createOnUpdate === true,
    allowUnconditionalUpdate: entry.conditionalUpdate !== true,
    defaultPropagation: entry.orphan === true ? 'Orphan' : 'Background',
  };
}

function createCatalog(source: { groups: GroupInfo[]; resources: unknown[] }): ResourceCatalog {
  const all = (source.resources as ResourceEntry[]).map(readResource);
  const resources = new Map(all.map((info) => [key(info, info.resource), info]));
  const kinds = new Map(all.map((info) => [key(info, info.kind), info]));
  return {
    all,
    byResource: (gvr) => resources.get(key(gvr, gvr.resource)),
    byKind: (gvk) => kinds.get(key(gvk, gvk.kind)),
    groups: () => source.groups,
  };
}

function key(of: { group: string; version: string }, name: string): string {
  return `${of.group}/${of.version}/${name}`;
}

export const catalog: ResourceCatalog = createCatalog(table);
