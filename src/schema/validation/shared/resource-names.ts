import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);
const countedResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
const quotaResources = new Set([
  ...containerResources,
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  ...countedResources,
]);
const standardResources = new Set([...quotaResources, 'storage']);

/** Where an amount of a resource is stated decides which names are good. */
export type ResourceNameCheck = (
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  name: string,
) => void;

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

function isQuotaHugePages(name: string): boolean {
  return isHugePages(name) || name.startsWith('requests.hugepages-');
}

/** Resources that Kubernetes itself names. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** Resources that nodes or devices advertise, as vendor.com/gpu. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false;
  return labelKeyErrors(`requests.${name}`).length === 0;
}

/** Whether limits may be above requests. */
export function mayOvercommit(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name);
}

export function isWholeNumberResource(name: string): boolean {
  return countedResources.has(name) || isExtendedResource(name);
}

export const checkResourceName: ResourceNameCheck = (errors, path, field, name) => {
  for (const detail of labelKeyErrors(name)) errors.invalid(path, field, name, detail);
  if (name.includes('/') || standardResources.has(name) || isQuotaHugePages(name)) return;
  errors.invalid(path, field, name, 'must be a standard resource type or fully qualified');
};

export const checkContainerResourceName: ResourceNameCheck = (errors, path, field, name) => {
  if (containerResources.has(name)) return;
  checkResourceName(errors, path, field, name);
  if (!name.includes('/')) {
    if (!isHugePages(name)) {
      errors.invalid(path, field, name, 'must be a standard resource for containers');
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.invalid(path, field, name, "doesn't follow extended resource name standard");
  }
};

const podResources = ['cpu', 'hugepages-', 'memory'];

export const checkPodResourceName: ResourceNameCheck = (errors, path, field, name) => {
  checkResourceName(errors, path, field, name);
  if (name === 'cpu' || name === 'memory' || isHugePages(name)) return;
  errors.notSupported(path, field, name, podResources);
};

export const checkQuotaResourceName: ResourceNameCheck = (errors, path, field, name) => {
  checkResourceName(errors, path, field, name);
  if (name.includes('/') || quotaResources.has(name) || isQuotaHugePages(name)) return;
  errors.invalid(path, field, name, 'must be a standard resource for quota');
};
