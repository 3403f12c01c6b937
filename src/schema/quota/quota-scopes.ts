import type { UnknownObject } from '../object.ts';
import type {
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from '../types.ts';

/** The scopes of a quota, in both ways of writing them. */
export function scopesOf(quota: ResourceQuota): ScopedResourceSelectorRequirement[] {
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  return [
    ...scopes.map((scopeName) => ({ scopeName, operator: 'Exists' as const })),
    ...(scopeSelector?.matchExpressions ?? []),
  ];
}

/** Whether the scopes of a quota take in the object; scopes other than for pods take in nothing else. */
export function matchesScopes(
  quota: ResourceQuota,
  of: { group: string; resource: string },
  object: UnknownObject,
): boolean {
  return scopesOf(quota).every((requirement) => matchesScope(requirement, of, object));
}

/** Whether one scope takes in the object. */
export function matchesScope(
  requirement: ScopedResourceSelectorRequirement,
  of: { group: string; resource: string },
  object: UnknownObject,
): boolean {
  if (of.group !== '') return false;
  if (of.resource === 'pods') return podMatches(object, requirement);
  if (of.resource !== 'persistentvolumeclaims') return false;
  if (requirement.scopeName !== 'VolumeAttributesClass') return false;
  const classes = attributesClasses(object);
  if (classes.length === 0) return valueMatches(undefined, requirement);
  return classes.some((name) => valueMatches(name, requirement));
}

/** The class that a claim asks for, has, and is on its way to. */
function attributesClasses({ spec, status }: PersistentVolumeClaim): string[] {
  return [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter((name) => name !== undefined && name !== '') as string[];
}

function podMatches(pod: Pod, requirement: ScopedResourceSelectorRequirement): boolean {
  const isTerminating = (pod.spec?.activeDeadlineSeconds ?? -1) >= 0;
  switch (requirement.scopeName) {
    case 'Terminating':
      return isTerminating;
    case 'NotTerminating':
      return !isTerminating;
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'PriorityClass':
      return valueMatches(pod.spec?.priorityClassName, requirement);
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod);
    default:
      return false;
  }
}

function valueMatches(
  value: string | undefined,
  requirement: ScopedResourceSelectorRequirement,
): boolean {
  const isSet = value !== undefined && value !== '';
  switch (requirement.operator) {
    case 'In':
      return isSet && (requirement.values ?? []).includes(value);
    case 'NotIn':
      return !isSet || !(requirement.values ?? []).includes(value);
    case 'DoesNotExist':
      return !isSet;
    default:
      return isSet;
  }
}

function isBestEffort(pod: Pod): boolean {
  const { containers = [], initContainers = [], resources } = pod.spec ?? {};
  return [...containers, ...initContainers, { resources }].every((container) => {
    const { requests = {}, limits = {} } = container.resources ?? {};
    return [...Object.entries(requests), ...Object.entries(limits)].every(
      ([name, value]) => (name !== 'cpu' && name !== 'memory') || /^0+$/.test(value),
    );
  });
}

function reachesOtherNamespaces(pod: Pod): boolean {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  return [podAffinity, podAntiAffinity].some((affinity) => {
    const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return [...required, ...preferred.map((entry) => entry.podAffinityTerm)].some(
      (term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined,
    );
  });
}
