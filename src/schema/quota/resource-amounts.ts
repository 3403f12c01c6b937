import { addQuantity, compareQuantity, parseQuantity } from '#base/quantity.ts';
import type { Quantity } from '#base/quantity.ts';
import type { Container, Pod } from '../types.ts';

/** Amounts by resource name: cpu, memory, requests.cpu, … */
export type Amounts = Map<string, Quantity>;

type Which = 'requests' | 'limits';

export function amountsOf(list: Readonly<Record<string, unknown>> | undefined): Amounts {
  const amounts: Amounts = new Map();
  for (const [name, value] of Object.entries(list ?? {})) {
    amounts.set(name, parseQuantity(String(value)));
  }
  return amounts;
}

/** Adds `more` to `amounts` in place. */
export function addAmounts(amounts: Amounts, more: Amounts): Amounts {
  for (const [name, value] of more) {
    const own = amounts.get(name);
    amounts.set(name, own === undefined ? value : addQuantity(own, value));
  }
  return amounts;
}

function maxAmounts(amounts: Amounts, other: Amounts): Amounts {
  for (const [name, value] of other) {
    const own = amounts.get(name);
    if (own === undefined || compareQuantity(own, value) < 0) amounts.set(name, value);
  }
  return amounts;
}

/**
 * What a pod asks for in all: the sum of its containers and sidecars, or its largest init step when
 * that is more, then what the pod itself says, and its overhead. Same as upstream's PodRequests.
 */
export function podAmounts(pod: Pod, which: Which): Amounts {
  return sumOf(pod, which, (container) => amountsOf(container.resources?.[which]));
}

/**
 * What a pod holds, as quotas count it: each container with the most of what it asks for, what the
 * node has promised it and what it runs with; a resize that the node cannot do asks for nothing.
 */
export function podAmountsHeld(pod: Pod, which: Which): Amounts {
  const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const statuses = [...containerStatuses, ...initContainerStatuses];
  const known = new Map(
    statuses.flatMap((one) => (one.resources === undefined ? [] : [[one.name, one]])),
  );
  if (known.size === 0) return podAmounts(pod, which);
  const isInfeasible = conditions.some(
    ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
  );
  return sumOf(pod, which, ({ name, resources }) => {
    const asked = amountsOf(resources?.[which]);
    const status = known.get(name);
    if (status === undefined) return asked;
    const held = maxAmounts(isInfeasible ? new Map() : asked, amountsOf(status.resources?.[which]));
    return which === 'limits' ? held : maxAmounts(held, amountsOf(status.allocatedResources));
  });
}

function sumOf(pod: Pod, which: Which, of: (container: Container) => Amounts): Amounts {
  const { spec } = pod;
  const running: Amounts = new Map();
  for (const container of spec?.containers ?? []) addAmounts(running, of(container));
  const sidecars: Amounts = new Map();
  const starting: Amounts = new Map();
  for (const container of spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      addAmounts(running, of(container));
      addAmounts(sidecars, of(container));
      maxAmounts(starting, new Map(sidecars));
    } else {
      maxAmounts(starting, addAmounts(of(container), sidecars));
    }
  }
  const total = maxAmounts(running, starting);
  for (const [name, value] of amountsOf(spec?.resources?.[which])) total.set(name, value);
  for (const [name, value] of amountsOf(spec?.overhead)) {
    const own = total.get(name);
    if (which === 'requests') total.set(name, own === undefined ? value : addQuantity(own, value));
    else if (own !== undefined) total.set(name, addQuantity(own, value));
  }
  return total;
}
