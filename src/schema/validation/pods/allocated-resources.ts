import type {
  ContainerStatus,
  Pod,
  PodExtendedResourceClaimStatus,
  PodSpec,
  ResourceStatus,
} from '../../generated/types.ts';
import {
  checkFormat,
  checkMaxBytes,
  checkOneOf,
  checkOptionalFormat,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { statusPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';

type Spec = Unchecked<PodSpec>;
type ContainerIn = NonNullable<Spec['containers']>[number];

const healths: readonly string[] = ['Healthy', 'Unhealthy', 'Unknown'];
const maxMessageBytes = 1024;

/** The claim that was made for resources of a pod which devices stand behind. */
export function checkExtendedClaim(
  errors: ErrorList,
  spec: Spec,
  claim: Unchecked<PodExtendedResourceClaimStatus> | undefined,
): void {
  if (claim === undefined) return;
  const path = statusPath.child('extendedResourceClaimStatus');
  const mappings = claim.requestMappings ?? [];
  if (mappings.length === 0) {
    errors.required(path, 'requestMappings', 'at least one request mapping is required');
  }
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const seen = new Set<string>();
  mappings.forEach(({ containerName = '', resourceName = '', requestName = '' }, index) => {
    const at = path.child('requestMappings').at(index);
    const named = containers.filter(({ name }) => name === containerName);
    if (!named.some(({ resources }) => resources?.requests?.[resourceName] !== undefined)) {
      const detail =
        'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests';
      errors.invalid(at, 'resourceName', resourceName, detail);
    }
    if (named.length === 0) {
      const detail =
        'must match the name of an entry in spec.initContainers.name or spec.containers.name';
      errors.invalid(at, 'containerName', containerName, detail);
    }
    checkFormat(errors, path, 'requestName', requestName, dns1123LabelErrors);
    const key = JSON.stringify([containerName, resourceName, requestName]);
    if (seen.has(key)) {
      errors.duplicate(at, 'containerName', containerName);
      errors.duplicate(at, 'resourceName', resourceName);
      errors.duplicate(at, 'requestName', requestName);
    }
    seen.add(key);
  });
  const name = claim.resourceClaimName;
  requireText(errors, path, 'resourceClaimName', name);
  checkOptionalFormat(errors, path, 'resourceClaimName', name, dns1123SubdomainErrors);
}

/** The health of devices that containers got, as kubelets report it. */
export function checkAllocatedResources(errors: ErrorList, { spec, status }: Unchecked<Pod>): void {
  const lists = [
    ['initContainerStatuses', spec?.initContainers],
    ['containerStatuses', spec?.containers],
  ] as const;
  for (const [list, containers] of lists) {
    const path = statusPath.child(list);
    (status?.[list] ?? []).forEach((one, index) => {
      const container = containers?.find(({ name }) => name === one.name);
      checkStatus(errors, path.at(index), one, container);
    });
  }
  (status?.ephemeralContainerStatuses ?? []).forEach(({ allocatedResourcesStatus }, index) => {
    if (isEmpty(allocatedResourcesStatus)) return;
    const path = statusPath.child('ephemeralContainerStatuses').at(index);
    const detail = 'must not be specified in container status';
    errors.forbidden(path, 'allocatedResourcesStatus', detail);
  });
}

function checkStatus(
  errors: ErrorList,
  path: FieldPath,
  { allocatedResourcesStatus = [] }: Unchecked<ContainerStatus>,
  container: ContainerIn | undefined,
): void {
  allocatedResourcesStatus.forEach((allocated, index) => {
    const at = path.child('allocatedResourcesStatus').at(index);
    checkName(errors, at, allocated.name ?? '', container);
    checkHealth(errors, at.child('resources'), allocated);
  });
}

function checkName(
  errors: ErrorList,
  path: FieldPath,
  name: string,
  container: ContainerIn | undefined,
): void {
  if (!name.startsWith('claim:')) {
    if (container?.resources?.requests?.[name] !== undefined) return;
    const detail = "must match one of the container's resource requests";
    errors.invalid(path, 'name', name, detail);
    return;
  }
  const claims = container?.resources?.claims ?? [];
  const isClaimed = claims.some(({ name: claim, request = '' }) => {
    return name === (request === '' ? `claim:${claim}` : `claim:${claim}/${request}`);
  });
  if (isClaimed) return;
  const detail =
    "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty";
  errors.invalid(path, 'name', name, detail);
}

function checkHealth(
  errors: ErrorList,
  path: FieldPath,
  { resources = [] }: Unchecked<ResourceStatus>,
): void {
  const seen = new Set<string>();
  resources.forEach(({ resourceID = '', health, message }, index) => {
    const at = path.at(index);
    if (health !== undefined && health !== '') checkOneOf(errors, at, 'health', health, healths);
    if (message === '') errors.required(at, 'message', 'must be non-empty if specified');
    checkMaxBytes(errors, at, 'message', message, maxMessageBytes);
    if (seen.has(resourceID)) errors.duplicate(at, 'resourceID', resourceID);
    seen.add(resourceID);
  });
}
