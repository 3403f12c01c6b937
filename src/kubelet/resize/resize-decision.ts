import { milliValue, parseQuantity, quantityValue } from '#base/quantity.ts';
import { podRequests } from '#schema/pods/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { checkResources } from '../pods/admission.ts';
import { isStaticPod } from '../pods/names.ts';

/** Why a resize is not done: for ever (Infeasible), or until the node has room (Deferred). */
export interface ResizeRefusal {
  readonly reason: 'Infeasible' | 'Deferred';
  readonly message: string;
}

/**
 * Whether the node can give a pod what it now asks for. `others` are the other pods of the node
 * with what was allocated to them. Texts are upstream's. Pure.
 */
export function refuseResize(options: {
  pod: Pod;
  node: Node;
  others: readonly Pod[];
}): ResizeRefusal | undefined {
  const { pod, node, others } = options;
  if (isStaticPod(pod)) {
    return {
      reason: 'Infeasible',
      message: 'In-place resize of static-pods is not supported',
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
