import type { Quantity } from '#base/quantity.ts';
import { addQuantity, compareQuantity, parseQuantity, zeroQuantity } from '#base/quantity.ts';
import type { PodSpec, ResourceRequirements } from '../types.ts';

const counted = ['cpu', 'memory'] as const;
type Amounts = Map<string, Quantity>;

function addAll(to: Amounts, list: ResourceRequirements['requests']): void {
  for (const name of counted) {
    const text = list?.[name];
    if (text === undefined) continue;
    const amount = parseQuantity(text);
    if (compareQuantity(amount, zeroQuantity) > 0) {
      to.set(name, addQuantity(to.get(name) ?? zeroQuantity, amount));
    }
  }
}

function hasBothLimits(resources: Pick<ResourceRequirements, 'limits'> | undefined): boolean {
  return counted.every((name) => {
    const text = resources?.limits?.[name];
    return text !== undefined && compareQuantity(parseQuantity(text), zeroQuantity) > 0;
  });
}

export type QosClass = 'BestEffort' | 'Burstable' | 'Guaranteed';

/** The class that status.qosClass shows, from the pod's own resources or else its containers'. */
export function podQosClass(spec: PodSpec | undefined): QosClass {
  const requests: Amounts = new Map();
  const limits: Amounts = new Map();
  const sources =
    spec?.resources === undefined
      ? [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map((one) => one.resources)
      : [spec.resources];
  for (const resources of sources) {
    // A limit without a request is the request too, also before defaulting.
    addAll(requests, { ...resources?.limits, ...resources?.requests });
    addAll(limits, resources?.limits);
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort';
  if (!sources.every(hasBothLimits) || requests.size !== limits.size) return 'Burstable';
  for (const [name, amount] of requests) {
    const limit = limits.get(name);
    if (limit === undefined || compareQuantity(limit, amount) !== 0) return 'Burstable';
  }
  return 'Guaranteed';
}
