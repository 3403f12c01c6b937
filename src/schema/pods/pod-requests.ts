import { milliValue, parseQuantity, quantityValue } from '#base/quantity.ts';
import type { Container, Pod, PodSpec } from '../types.ts';

/** Amounts by resource name: cpu in thousandths, everything else in whole units (bytes, pieces). */
export type ResourceAmounts = ReadonlyMap<string, number>;

type Field = 'requests' | 'limits';

/**
 * What a pod asks of a node: the larger of what runs together at the end and of what each init
 * container needs beside the sidecars before it, plus overhead. Pod-level requests replace the
 * sum. Same as upstream's PodRequests.
 */
export function podRequests(pod: Pod): ResourceAmounts {
  return podAmounts(pod, 'requests');
}

/**
 * What a pod on a node takes of it: as podRequests, but each container with the largest of what it
 * asks for now, what the node has promised it and what it runs with, as upstream counts pods that
 * are resized in place. A resize that the node cannot ever do asks for nothing.
 */
export function podRequestsInUse(pod: Pod): ResourceAmounts {
  const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const statuses = [...containerStatuses, ...initContainerStatuses];
  const known = statuses.filter(({ resources }) => resources !== undefined);
  if (known.length === 0) return podRequests(pod);
  const byName = new Map(known.map((status) => [status.name, status]));
  const isInfeasible = conditions.some(
    ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
  );
  return podAmounts(pod, 'requests', (container) => {
    const status = byName.get(container.name);
    const asked = amountsOf(container, 'requests');
    if (status === undefined) return asked;
    const used = isInfeasible ? new Map<string, number>() : asked;
    for (const amounts of [status.allocatedResources, status.resources?.requests]) {
      const all = Object.entries(amounts ?? {});
      raiseTo(used, new Map(all.map(([name, text]) => [name, amount(name, text)])));
    }
    return used;
  });
}

/** The same for limits; a resource that any container leaves open is not in the answer's meaning. */
export function podLimits(pod: Pod): ResourceAmounts {
  return podAmounts(pod, 'limits');
}

function podAmounts(
  pod: Pod,
  field: Field,
  amountsFor = (container: Container): Map<string, number> => amountsOf(container, field),
): ResourceAmounts {
  // Also asked of pods that are not validated yet.
  const spec = pod.spec as Partial<PodSpec> | undefined;
  const total = new Map<string, number>();
  if (spec === undefined) return total;
  for (const container of spec.containers ?? []) addTo(total, amountsFor(container));
  const sidecars = new Map<string, number>();
  const initPeak = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const own = amountsFor(container);
    if (container.restartPolicy === 'Always') {
      addTo(total, own);
      addTo(sidecars, own);
      raiseTo(initPeak, sidecars);
      continue;
    }
    const together = new Map(sidecars);
    addTo(together, own);
    raiseTo(initPeak, together);
  }
  raiseTo(total, initPeak);
  const podLevel = spec.resources?.[field];
  if (podLevel !== undefined) {
    for (const [name, text] of Object.entries(podLevel)) total.set(name, amount(name, text));
  }
  if (spec.overhead !== undefined) {
    for (const [name, text] of Object.entries(spec.overhead)) {
      total.set(name, (total.get(name) ?? 0) + amount(name, text));
    }
  }
  return total;
}

function amountsOf(container: Container, field: Field): Map<string, number> {
  const result = new Map<string, number>();
  const { requests, limits } = container.resources ?? {};
  // A limit without a request is the request too: defaulting says so, static pods may not have it.
  const amounts = field === 'limits' ? limits : { ...limits, ...requests };
  for (const [name, text] of Object.entries(amounts ?? {})) {
    result.set(name, amount(name, text));
  }
  return result;
}

function amount(name: string, text: string): number {
  const quantity = parseQuantity(text);
  return name === 'cpu' ? milliValue(quantity) : quantityValue(quantity);
}

function addTo(target: Map<string, number>, more: ResourceAmounts): void {
  for (const [name, value] of more) target.set(name, (target.get(name) ?? 0) + value);
}

function raiseTo(target: Map<string, number>, other: ResourceAmounts): void {
  for (const [name, value] of other) target.set(name, Math.max(target.get(name) ?? 0, value));
}
