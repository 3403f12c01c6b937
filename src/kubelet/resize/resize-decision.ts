import { milliValue, parseQuantity, quantityValue } from '#base/quantity.ts';
import { podQosClass, podRequests } from '#schema/pods/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { checkResources } from '../pods/admission.ts';
import { swapLimitBytes } from '../containers/linux-resources.ts';
import { containersOf, isStaticPod } from '../pods/names.ts';
import { changedResources } from './allocation.ts';
import type { Allocation } from './allocation.ts';

/** Why a resize is not done: for ever (Infeasible), or until the node has room (Deferred). */
export interface ResizeRefusal {
  readonly reason: 'Infeasible' | 'Deferred';
  readonly message: string;
}

/** What of the node's configuration forbids resizes. */
export interface ResizeLimits {
  readonly isCpuStatic: boolean;
  readonly isMemoryStatic?: boolean | undefined;
  readonly hasLimitedSwap: boolean;
  readonly memoryBytes: number;
  /** 0 where containers get no swap. */
  readonly swapBytes: number;
}

/** The kernel keeps no limit of memory and swap together: it cannot follow one of them alone. */
function changesSwapped(pod: Pod, before: Allocation | undefined, limits: ResizeLimits): boolean {
  if (before === undefined || !limits.hasLimitedSwap || limits.swapBytes === 0) return false;
  return containersOf(pod).some(({ container }) => {
    const isRestarted = (container.resizePolicy ?? []).some(
      ({ resourceName, restartPolicy }) =>
        resourceName === 'memory' && restartPolicy === 'RestartContainer',
    );
    const changed = changedResources(before.containers[container.name], container.resources);
    return (
      !isRestarted &&
      changed.includes('memory') &&
      swapLimitBytes({ ...limits, pod, container }) > 0
    );
  });
}

/** What a Guaranteed pod has of its own and cannot change; its other resources can. */
function fixedResource(
  pod: Pod,
  before: Allocation | undefined,
  { isCpuStatic, isMemoryStatic }: ResizeLimits,
): 'CPU' | 'Memory' | undefined {
  if (podQosClass(pod.spec) !== 'Guaranteed') return undefined;
  const changes = (resource: 'cpu' | 'memory'): boolean =>
    before === undefined ||
    containersOf(pod).some(({ container }) =>
      changedResources(before.containers[container.name], container.resources).includes(resource),
    );
  if (isCpuStatic && changes('cpu')) return 'CPU';
  return isMemoryStatic === true && changes('memory') ? 'Memory' : undefined;
}

/**
 * Whether the node can give a pod what it now asks for. `others` are the other pods of the node
 * with what was allocated to them. Texts are upstream's. Pure.
 */
export function refuseResize(options: {
  pod: Pod;
  /** What the pod was given before; what it may not lose depends on it. */
  before?: Allocation | undefined;
  node: Node;
  others: readonly Pod[];
  limits?: ResizeLimits | undefined;
}): ResizeRefusal | undefined {
  const { pod, node, others, limits } = options;
  if (isStaticPod(pod)) {
    return {
      reason: 'Infeasible',
      message: 'In-place resize of static-pods is not supported',
    };
  }
  const fixed = limits === undefined ? undefined : fixedResource(pod, options.before, limits);
  if (fixed !== undefined) {
    return {
      reason: 'Infeasible',
      message: `Resize is infeasible for Guaranteed Pods alongside ${fixed} Manager static policy`,
    };
  }
  if (limits !== undefined && changesSwapped(pod, options.before, limits)) {
    return {
      reason: 'Infeasible',
      message: 'In-place resize of containers with swap is not supported.',
    };
  }
  const allocatable = node.status?.allocatable ?? {};
  const requests = podRequests(pod);
  for (const name of ['memory', 'cpu'] as const) {
    const text = allocatable[name];
    const requested = requests.get(name) ?? 0;
    if (text === undefined || requested === 0) continue;
    const quantity = parseQuantity(text);
    const capacity = name === 'cpu' ? milliValue(quantity) : quantityValue(quantity);
    if (requested <= capacity) continue;
    return {
      reason: 'Infeasible',
      message: `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}`,
    };
  }
  const found = checkResources({ pod, node, active: others });
  return found === undefined ? undefined : { reason: 'Deferred', message: found.message };
}
