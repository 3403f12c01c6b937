import { groupVersion } from '#schema/mod.ts';
import type { GroupInfo, ResourceInfo } from '#schema/mod.ts';

import type { DiscoveredVersion } from './discovered.ts';

/** groupPriorityMinimum of groups that a CustomResourceDefinition makes. */
const customPriority = 1000;
/** versionPriority of their versions. */
const customVersionPriority = 100;
/** Above every versionPriority that an APIService may have: the catalog orders built-in versions. */
const builtInVersionPriority = 2000;

/** A group with what it serves, in the order of discovery. */
export interface ServedGroup {
  readonly group: string;
  readonly preferredVersion: string;
  readonly versions: readonly ServedVersion[];
}

export interface ServedVersion {
  readonly version: string;
  readonly resources: readonly ResourceInfo[];
  /** Served by somebody else, who takes the place of `resources`. */
  readonly other?: DiscoveredVersion | undefined;
}

/**
 * Groups of the resources that are served: built-in ones in upstream's order, others among them by
 * priority, then name. Versions follow the catalog, else their priority, then Kubernetes' order of
 * version names. `others` are group versions of APIServices with a server of their own.
 */
export function orderGroups(
  resources: readonly ResourceInfo[],
  known: readonly GroupInfo[],
  others: readonly DiscoveredVersion[] = [],
): ServedGroup[] {
  const byVersion = new Map<string, ResourceInfo[]>();
  const versionsOf = new Map<string, Set<string>>();
  for (const info of resources) {
    const key = groupVersion(info);
    const list = byVersion.get(key);
    if (list === undefined) byVersion.set(key, [info]);
    else list.push(info);
    const versions = versionsOf.get(info.group) ?? new Set<string>();
    versionsOf.set(info.group, versions.add(info.version));
  }
  const byOther = new Map(others.map((other) => [groupVersion(other), other]));
  const otherPriority = new Map<string, number>();
  for (const { group, version, groupPriorityMinimum } of others) {
    const priority = Math.max(otherPriority.get(group) ?? 0, groupPriorityMinimum);
    otherPriority.set(group, priority);
    versionsOf.set(group, (versionsOf.get(group) ?? new Set<string>()).add(version));
  }
  const own = new Set(resources.map(({ group }) => group));
  const rank = new Map(known.map((info, index) => [info.group, { info, index }]));
  const priorityIn = (group: string): number =>
    Math.max(own.has(group) ? priorityOf(rank.get(group)?.info) : 0, otherPriority.get(group) ?? 0);
  const groups = [...versionsOf.keys()].sort((left, right) => {
    const [a, b] = [rank.get(left), rank.get(right)];
    if (a !== undefined && b !== undefined) return a.index - b.index;
    const byPriority = priorityIn(right) - priorityIn(left);
    return byPriority !== 0 ? byPriority : left < right ? -1 : 1;
  });
  return groups.map((group) => {
    const order = rank.get(group)?.info.versions ?? [];
    const priorityOfVersion = (version: string): number => {
      const other = byOther.get(groupVersion({ group, version }));
      if (other !== undefined) return other.versionPriority;
      const index = order.indexOf(version);
      return index < 0 ? customVersionPriority : builtInVersionPriority - index;
    };
    const versions = [...(versionsOf.get(group) ?? [])].sort((left, right) => {
      const byPriority = priorityOfVersion(right) - priorityOfVersion(left);
      return byPriority === 0 ? compareVersions(left, right) : byPriority;
    });
    return {
      group,
      preferredVersion: versions[0] ?? '',
      versions: versions.map((version) => ({
        version,
        resources: [...(byVersion.get(groupVersion({ group, version })) ?? [])].sort((a, b) =>
          a.resource < b.resource ? -1 : 1,
        ),
        other: byOther.get(groupVersion({ group, version })),
      })),
    };
  });
}

function priorityOf(info: GroupInfo | undefined): number {
  return info?.priority ?? customPriority;
}

/** v2 before v1 before v1beta2 before v1beta1 before v1alpha1, then other names by the alphabet. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parseVersion(left), parseVersion(right)];
  if (a === undefined || b === undefined) {
    if (a !== undefined) return -1;
    if (b !== undefined) return 1;
    return left < right ? -1 : left > right ? 1 : 0;
  }
  for (let index = 0; index < 3; index++) {
    const difference = (b[index] ?? 0) - (a[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Stability (GA 2, beta 1, alpha 0), major, minor. */
function parseVersion(text: string): number[] | undefined {
  const match = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$/.exec(text);
  if (match === null) return undefined;
  const stability = match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}
