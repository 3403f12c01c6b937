import type { UnknownObject } from '../object.ts';
import type { Pod, ResourceQuota, ScopedResourceSelectorRequirement } from '../types.ts';

/** Whether the scopes of a quota take in the object; scopes other than for pods take in nothing else. */
export function matchesScopes(
  quota: ResourceQuota,
  of: { group: string; resource: string },
  object: UnknownObject,
): boolean {
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  const requirements: ScopedResourceSelectorRequirement[] = [
    ...scopes.map((scopeName) => ({ scopeName, operator: 'Exists' as const })),
    ...(scopeSelector?.matchExpressions ?? []),
  ];
  if (requirements.length === 0) return true;
  if (of.group === '' && of.resource === 'pods') {
    const pod = object as unknown as Pod;
    return requirements.every((requirement) => podMatches(pod, requirement));
  }
  if (of.group === '' && of.resource === 'persistentvolumeclaims') {
    const spec = object['spec'] as { volumeAttributesClassName?: string } | undefined;
    return requirements.every(
      (requirement) =>
        requirement.scopeName === 'VolumeAttributesClass' &&
        valueMatches(spec?.volumeAttributesClassName, requirement),
    );
  }
  return false;
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
