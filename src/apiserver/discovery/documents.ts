import { groupVersion } from '#schema/mod.ts';
import type { ResourceInfo, SubresourceInfo } from '#schema/mod.ts';

import { toPlainList } from './discovered.ts';
import type { DiscoveredVersion } from './discovered.ts';
import type { ServedGroup } from './group-order.ts';

/** One resource or subresource in an APIResourceList. */
interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: readonly string[];
  shortNames?: readonly string[];
  categories?: readonly string[];
  storageVersionHash?: string;
}

/** /api: the versions of the core group and where to reach the server. */
export function apiVersions(group: ServedGroup | undefined, serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: group?.versions.map(({ version }) => version) ?? [],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** /apis: all groups but the core one. */
export function apiGroupList(groups: readonly ServedGroup[]): object {
  const items = groups.filter(({ group }) => group !== '').map(groupFields);
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: items };
}

/** /apis/<group>. */
export function apiGroup(group: ServedGroup): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupFields(group) };
}

function groupFields({ group, versions, preferredVersion }: ServedGroup): object {
  const entry = (version: string): object => ({
    groupVersion: groupVersion({ group, version }),
    version,
  });
  return {
    name: group,
    versions: versions.map(({ version }) => entry(version)),
    preferredVersion: entry(preferredVersion),
  };
}

/** /api/v1 and /apis/<group>/<version>: resources by name, each followed by its subresources. */
export function apiResourceList(
  of: { group: string; version: string },
  resources: readonly ResourceInfo[],
): object {
  return {
    kind: 'APIResourceList',
    // The core group's list has none: upstream writes it in an older form.
    ...(of.group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: groupVersion(of),
    resources: resources.flatMap((info) => [
      resourceEntry(info),
      ...sortedSubresources(info).map((sub) => subresourceEntry(info, sub)),
    ]),
  };
}

/** The same for a group version that somebody else serves. */
export function otherResourceList(of: DiscoveredVersion): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersion(of),
    resources: toPlainList(of.resources, of),
  };
}

function resourceEntry(info: ResourceInfo): ApiResource {
  return {
    name: info.resource,
    singularName: info.singular,
    namespaced: info.namespaced,
    kind: info.kind,
    verbs: info.verbs,
    ...(info.shortNames.length === 0 ? {} : { shortNames: info.shortNames }),
    ...(info.categories.length === 0 ? {} : { categories: info.categories }),
    ...(info.storageVersionHash === '' ? {} : { storageVersionHash: info.storageVersionHash }),
  };
}

function subresourceEntry(info: ResourceInfo, sub: SubresourceInfo): ApiResource {
  const isOwn = sub.group === info.group && sub.version === info.version;
  return {
    name: `${info.resource}/${sub.name}`,
    singularName: '',
    namespaced: info.namespaced,
    ...(isOwn ? {} : { group: sub.group, version: sub.version }),
    kind: sub.kind,
    verbs: sub.verbs,
  };
}

function sortedSubresources(info: ResourceInfo): SubresourceInfo[] {
  return [...info.subresources].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The aggregated form (apidiscovery.k8s.io/v2): everything of some groups in one answer. */
export function aggregatedDiscovery(groups: readonly ServedGroup[]): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.group === '' ? {} : { name: group.group },
      versions: group.versions.map(({ version, resources, other }) => ({
        version,
        ...(other?.isStale === true && other.resources.length === 0
          ? {}
          : { resources: other?.resources ?? resources.map(aggregatedResource) }),
        freshness: other?.isStale === true ? 'Stale' : 'Current',
      })),
    })),
  };
}

function aggregatedResource(info: ResourceInfo): object {
  const responseKind = (of: { group: string; version: string; kind: string }): object => {
    const isOwn = of.group === info.group && of.version === info.version;
    return isOwn
      ? { group: '', version: '', kind: of.kind }
      : { group: of.group, version: of.version, kind: of.kind };
  };
  return {
    resource: info.resource,
    responseKind: responseKind(info),
    scope: info.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: info.singular,
    verbs: info.verbs,
    ...(info.shortNames.length === 0 ? {} : { shortNames: info.shortNames }),
    ...(info.categories.length === 0 ? {} : { categories: info.categories }),
    ...(info.subresources.length === 0
      ? {}
      : {
          subresources: sortedSubresources(info).map((sub) => ({
            subresource: sub.name,
            responseKind: responseKind(sub),
            verbs: sub.verbs,
          })),
        }),
  };
}
