import { milliValue, parseQuantity, quantityValue, zeroQuantity } from '#base/quantity.ts';
import type { Quantity } from '#base/quantity.ts';
import type { Pod } from '#schema/types.ts';
import { specOf } from './names.ts';
import type { AnyContainer } from './names.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

type Amounts = Record<string, string> | undefined;

export function amountOf(amounts: Amounts, resource: string): Quantity {
  const text = amounts?.[resource];
  return text === undefined ? zeroQuantity : parseQuantity(text);
}

/** cpu in thousandths, everything else in whole units. */
export function amountValue(amounts: Amounts, resource: string): number {
  const quantity = amountOf(amounts, resource);
  return resource === 'cpu' ? milliValue(quantity) : quantityValue(quantity);
}

/** Only cpu and memory above zero count; pod-level resources stand for those of containers. */
export function qosClassOf(pod: Pod): QosClass {
  const spec = specOf(pod);
  const units =
    spec.resources === undefined
      ? [...(spec.initContainers ?? []), ...spec.containers].map(({ resources }) => resources)
      : [spec.resources];
  let isAny = false;
  let isGuaranteed = true;
  for (const resource of ['cpu', 'memory']) {
    let requests = 0;
    let limits = 0;
    for (const unit of units) {
      const request = amountValue(unit?.requests, resource);
      const limit = amountValue(unit?.limits, resource);
      if (request > 0 || limit > 0) isAny = true;
      if (limit === 0) isGuaranteed = false;
      requests += request === 0 ? limit : request;
      limits += limit;
    }
    if (requests !== limits) isGuaranteed = false;
  }
  if (!isAny) return 'BestEffort';
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

/** What the scheduler counts for the pod, by resource: containers, init peaks, sidecars, overhead. */
export function podRequests(pod: Pod): Map<string, number> {
  const spec = specOf(pod);
  const total = new Map<string, number>();
  for (const container of spec.containers) addTo(total, requestsOf(container));
  const sidecars = new Map<string, number>();
  const peak = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const requests = requestsOf(container);
    if (container.restartPolicy === 'Always') {
      addTo(total, requests);
      addTo(sidecars, requests);
      raiseTo(peak, sidecars);
    } else {
      const withSidecars = new Map(sidecars);
      addTo(withSidecars, requests);
      raiseTo(peak, withSidecars);
    }
  }
  raiseTo(total, peak);
  for (const resource of Object.keys(spec.resources?.requests ?? {})) {
    total.set(resource, amountValue(spec.resources?.requests, resource));
  }
  for (const resource of Object.keys(spec.overhead ?? {})) {
    total.set(resource, (total.get(resource) ?? 0) + amountValue(spec.overhead, resource));
  }
  return total;
}

function requestsOf(container: AnyContainer): Map<string, number> {
  const { requests, limits } = container.resources ?? {};
  const names = new Set([...Object.keys(limits ?? {}), ...Object.keys(requests ?? {})]);
  return new Map(
    [...names].map((name) => [
      name,
      requests?.[name] === undefined ? amountValue(limits, name) : amountValue(requests, name),
    ]),
  );
}

function addTo(total: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [name, value] of more) total.set(name, (total.get(name) ?? 0) + value);
}

function raiseTo(total: Map<string, number>, floor: ReadonlyMap<string, number>): void {
  for (const [name, value] of floor) total.set(name, Math.max(total.get(name) ?? 0, value));
}
