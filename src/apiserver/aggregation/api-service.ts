import type { GroupInfo, GroupVersionResource, ResourceInfo } from '#schema/mod.ts';
import type { APIService, APIServiceCondition, CustomResourceDefinition } from '#schema/types.ts';

export const apiServices: GroupVersionResource = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  resource: 'apiservices',
};

export const customResourceDefinitions: GroupVersionResource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
};

export const automanagedLabel = 'kube-aggregator.kubernetes.io/automanaged';
/** Kept in place only while the server starts: the built-in group versions. */
export const onStart = 'onstart';
/** Kept in place all the time: what CustomResourceDefinitions make. */
export const always = 'true';

/** versionPriority of built-in versions that differ from the usual one of their stability. */
const builtInVersionPriorities: Readonly<Record<string, number>> = {
  v1: 1,
  'v2.autoscaling': 30,
  'v1.resource.k8s.io': 21,
  'v1beta2.resource.k8s.io': 15,
  'v1.flowcontrol.apiserver.k8s.io': 21,
  'v1alpha1.certificates.k8s.io': 1,
  'v1beta1.admissionregistration.k8s.io': 12,
  'v1alpha2.scheduling.k8s.io': 2,
  'v1beta1.coordination.k8s.io': 13,
  'v1alpha2.coordination.k8s.io': 12,
};

/** Priorities of what CustomResourceDefinitions make. */
const customGroupPriority = 1000;
const customVersionPriority = 100;

/** A group version that this process serves, with its place among the others. */
export interface LocalGroupVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
  readonly management: typeof onStart | typeof always;
}

/** `v1.apps`; `v1.` for the core group. */
export function apiServiceName(of: { group: string; version: string }): string {
  return `${of.version}.${of.group}`;
}

/**
 * What is registered without anybody's doing: every built-in group version that is served but
 * APIService's own, and every served version of a definition.
 */
export function localGroupVersions(of: {
  infos: readonly ResourceInfo[];
  groups: readonly GroupInfo[];
  definitions: readonly CustomResourceDefinition[];
}): LocalGroupVersion[] {
  const known = new Map(of.groups.map((info) => [info.group, info]));
  const found = new Map<string, LocalGroupVersion>();
  for (const { group, version } of of.infos) {
    const builtIn = known.get(group);
    if (group === apiServices.group || builtIn?.versions.includes(version) !== true) continue;
    found.set(apiServiceName({ group, version }), {
      group,
      version,
      groupPriorityMinimum: builtIn.priority,
      versionPriority: builtInVersionPriority(group, version),
      management: onStart,
    });
  }
  for (const { spec } of of.definitions) {
    for (const { name: version, served } of spec.versions) {
      const name = apiServiceName({ group: spec.group, version });
      if (!served || found.has(name)) continue;
      found.set(name, {
        group: spec.group,
        version,
        groupPriorityMinimum: customGroupPriority,
        versionPriority: customVersionPriority,
        management: always,
      });
    }
  }
  return [...found.values()];
}

function builtInVersionPriority(group: string, version: string): number {
  const listed = builtInVersionPriorities[group === '' ? version : `${version}.${group}`];
  if (listed !== undefined) return listed;
  return /^v\d+$/.test(version) ? 15 : 9;
}

/** The object that stands for a local group version. */
export function localApiService(of: LocalGroupVersion): APIService {
  const { group, version, groupPriorityMinimum, versionPriority, management } = of;
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: apiServiceName(of), labels: { [automanagedLabel]: management } },
    spec: { ...(group === '' ? {} : { group }), version, groupPriorityMinimum, versionPriority },
  };
}

export function availableCondition(service: APIService): APIServiceCondition | undefined {
  return service.status?.conditions?.find(({ type }) => type === 'Available');
}

export function isAvailable(service: APIService): boolean {
  return availableCondition(service)?.status === 'True';
}
