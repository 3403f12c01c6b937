import { parseQuantity, milliValue, quantityValue } from '#base/quantity.ts';
import { podQosClass, podRequests } from '#schema/pods/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { terminationByKubelet } from '../status/conditions.ts';
import type { PodVerdict } from '../status/pod-status.ts';
import { isCriticalPod, specOf } from './names.ts';

/** What happens to a pod that makes room for a critical one. */
export const preemptedVerdict: PodVerdict = {
  phase: 'Failed',
  reason: 'Preempting',
  message: 'Preempted in order to admit critical pod',
  condition: {
    type: 'DisruptionTarget',
    status: 'True',
    reason: terminationByKubelet,
    message: 'Pod was preempted by Kubelet to accommodate a critical pod.',
  },
};

const classes = ['BestEffort', 'Burstable', 'Guaranteed'] as const;

/**
 * The pods that must go so that a critical one fits: as few as needed, best effort before burstable
 * before guaranteed, low priorities first. Undefined when even all of them are not enough. Pure.
 */
export function victimsFor(options: {
  pod: Pod;
  node: Node;
  active: readonly Pod[];
}): Pod[] | undefined {
  const { pod, node, active } = options;
  const missing = shortages(pod, node, active);
  const victims: Pod[] = [];
  const candidates = active
    .filter((other) => !isCriticalPod(other) && priorityOf(other) < priorityOf(pod))
    .sort(
      (a, b) =>
        classes.indexOf(podQosClass(a.spec)) - classes.indexOf(podQosClass(b.spec)) ||
        priorityOf(a) - priorityOf(b),
    );
  for (const candidate of candidates) {
    if ([...missing.values()].every((amount) => amount <= 0)) break;
    const freed = amountsOf(candidate);
    const isUseful = [...missing].some(
      ([name, amount]) => amount > 0 && (freed.get(name) ?? 0) > 0,
    );
    if (!isUseful) continue;
    victims.push(candidate);
    for (const [name, amount] of missing) missing.set(name, amount - (freed.get(name) ?? 0));
  }
  return [...missing.values()].every((amount) => amount <= 0) ? victims : undefined;
}

function priorityOf(pod: Pod): number {
  // Static pods may have no priority, and are critical all the same.
  return specOf(pod).priority ?? (isCriticalPod(pod) ? Number.MAX_SAFE_INTEGER : 0);
}

/** Requests, and the place that every pod takes. */
function amountsOf(pod: Pod): Map<string, number> {
  return new Map([...podRequests(pod), ['pods', 1]]);
}

function shortages(pod: Pod, node: Node, active: readonly Pod[]): Map<string, number> {
  const missing = new Map<string, number>();
  for (const [name, requested] of amountsOf(pod)) {
    const text = node.status?.allocatable?.[name];
    if (text === undefined || requested === 0) continue;
    const quantity = parseQuantity(text);
    const capacity = name === 'cpu' ? milliValue(quantity) : quantityValue(quantity);
    const used = active.reduce((sum, other) => sum + (amountsOf(other).get(name) ?? 0), 0);
    if (used + requested > capacity) missing.set(name, used + requested - capacity);
  }
  return missing;
}
