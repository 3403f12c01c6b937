import { compareQuantity, parseQuantity, quantityOf, roundUpQuantity } from '#base/quantity.ts';
import type { Quantity } from '#base/quantity.ts';
import type { UnknownObject } from '../object.ts';
import type {
  DeviceSubRequest,
  PersistentVolumeClaim,
  Pod,
  ResourceV1ResourceClaim,
  Service,
} from '../types.ts';

import { addAmounts, podAmountsHeld } from './resource-amounts.ts';
import type { Amounts } from './resource-amounts.ts';

const one = quantityOf(1);
/** Devices that one claim can hold. */
const maxAllocatedDevices = 32;
/** Kinds that quotas may also count by their plain name. */
const plainCounts = new Set([
  'configmaps',
  'secrets',
  'replicationcontrollers',
  'resourcequotas',
  'services',
  'persistentvolumeclaims',
]);

/** The name by which quotas count objects of a resource: `count/pods`, `count/jobs.batch`. */
export function countName(of: { group: string; resource: string }): string {
  return `count/${of.group === '' ? of.resource : `${of.resource}.${of.group}`}`;
}

/**
 * What one object counts for in quotas, by the names that quotas use. With `nowMs` a pod whose time
 * to end is long over holds nothing but its object.
 */
export function usageOf(
  of: { group: string; resource: string },
  object: UnknownObject,
  nowMs?: number,
): Amounts {
  const usage: Amounts = new Map([[countName(of), one]]);
  if (of.group === 'resource.k8s.io' && of.resource === 'resourceclaims') {
    addDeviceUsage(usage, object as unknown as ResourceV1ResourceClaim);
  }
  if (of.group !== '') return usage;
  if (plainCounts.has(of.resource)) usage.set(of.resource, one);
  switch (of.resource) {
    case 'pods':
      if (nowMs === undefined || !isStuck(object, nowMs)) addPodUsage(usage, object);
      break;
    case 'services':
      addServiceUsage(usage, object);
      break;
    case 'persistentvolumeclaims':
      addClaimUsage(usage, object);
      break;
    default:
      break;
  }
  return usage;
}

/** Pods that ended hold nothing but their object. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Being deleted, and not gone a whole grace period after its time: its node is likely lost. */
function isStuck({ metadata }: Pod, nowMs: number): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000 < nowMs;
}

function addPodUsage(usage: Amounts, pod: Pod): void {
  if (isTerminal(pod)) return;
  usage.set('pods', one);
  for (const [name, value] of podAmountsHeld(pod, 'requests')) {
    const isPlain = name === 'cpu' || name === 'memory' || name === 'ephemeral-storage';
    if (isPlain || name.startsWith('hugepages-')) usage.set(name, value);
    if (isPlain || name.startsWith('hugepages-') || name.includes('/')) {
      usage.set(`requests.${name}`, value);
    }
  }
  for (const [name, value] of podAmountsHeld(pod, 'limits')) {
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') {
      usage.set(`limits.${name}`, value);
    }
  }
}

function addServiceUsage(usage: Amounts, service: Service): void {
  const ports = service.spec?.ports ?? [];
  const count = (number: number) => quantityOf(number);
  if (service.spec?.type === 'NodePort') {
    usage.set('services.nodeports', count(ports.length));
  } else if (service.spec?.type === 'LoadBalancer') {
    usage.set('services.loadbalancers', one);
    const isAllocating = service.spec.allocateLoadBalancerNodePorts !== false;
    const explicit = ports.filter((port) => (port.nodePort ?? 0) !== 0).length;
    usage.set('services.nodeports', count(isAllocating ? ports.length : explicit));
  }
}

function addClaimUsage(usage: Amounts, claim: PersistentVolumeClaim): void {
  const size = claimSize(claim);
  if (size !== undefined) usage.set('requests.storage', size);
  const className =
    claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ??
    claim.spec?.storageClassName ??
    '';
  if (className === '') return;
  const prefix = `${className}.storageclass.storage.k8s.io`;
  usage.set(`${prefix}/persistentvolumeclaims`, one);
  if (size !== undefined) usage.set(`${prefix}/requests.storage`, size);
}

/** What a claim asks for, or has been given already when that is more; in whole bytes. */
function claimSize({ spec, status }: PersistentVolumeClaim): Quantity | undefined {
  const asked = spec?.resources?.requests?.['storage'];
  if (asked === undefined) return undefined;
  const size = roundUpQuantity(parseQuantity(asked), 0);
  const given = status?.allocatedResources?.['storage'];
  if (given === undefined) return size;
  const allocated = roundUpQuantity(parseQuantity(given), 0);
  return compareQuantity(allocated, size) > 0 ? allocated : size;
}

/** Devices that a claim may get at most, by class; of alternatives the largest counts. */
function addDeviceUsage(usage: Amounts, claim: ResourceV1ResourceClaim): void {
  const devicesOf = ({ allocationMode = 'ExactCount', count = 1 }: DeviceSubRequest): number =>
    allocationMode === 'ExactCount' ? count : allocationMode === 'All' ? maxAllocatedDevices : 0;
  for (const { exactly, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
    const most = new Map<string, number>();
    const asked =
      firstAvailable.length > 0 || exactly === undefined
        ? firstAvailable
        : [{ ...exactly, name: '' }];
    for (const request of asked) {
      const name = `${request.deviceClassName}.deviceclass.resource.k8s.io/devices`;
      most.set(name, Math.max(most.get(name) ?? 0, devicesOf(request)));
    }
    addAmounts(usage, new Map([...most].map(([name, count]) => [name, quantityOf(count)])));
  }
}

const mustSpecify = new Set([
  'cpu',
  'memory',
  'requests.cpu',
  'requests.memory',
  'limits.cpu',
  'limits.memory',
]);

/**
 * Resources that the quota bounds and that containers of the pod leave out:
 * `limits.cpu for: a,b; requests.cpu for: a`. Empty when nothing is missing.
 */
export function missingAmounts(pod: Pod, bounded: readonly string[]): string {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const lines: string[] = [];
  for (const name of [...bounded].sort()) {
    if (!mustSpecify.has(name)) continue;
    const which = name.startsWith('limits.') ? 'limits' : 'requests';
    const resource = name.replace(/^(limits|requests)\./, '');
    if (pod.spec?.resources?.[which]?.[resource] !== undefined) continue;
    const without = [...containers, ...initContainers]
      .filter((container) => container.resources?.[which]?.[resource] === undefined)
      .map((container) => container.name);
    if (without.length > 0) lines.push(`${name} for: ${without.sort().join(',')}`);
  }
  return lines.join('; ');
}
