import {
  compareQuantity,
  formatQuantity,
  parseQuantity,
  quantityToNumber,
} from '#base/quantity.ts';
import type { Quantity } from '#base/quantity.ts';
import type { LimitRangeItem, PersistentVolumeClaim, Pod } from '#schema/types.ts';

import { amountsOf, podAmounts } from '#schema/quota/mod.ts';
import type { Amounts } from '#schema/quota/mod.ts';

/** Everything about a pod that the limits do not allow, in upstream's words. */
export function podViolations(pod: Pod, items: readonly LimitRangeItem[]): string[] {
  const found: string[] = [];
  const withoutOverhead = { ...pod, spec: { ...pod.spec, overhead: undefined } } as Pod;
  for (const item of items) {
    if (item.type === 'Container') {
      const { containers = [], initContainers = [] } = pod.spec ?? {};
      for (const container of [...containers, ...initContainers]) {
        const requests = amountsOf(container.resources?.requests);
        const limits = amountsOf(container.resources?.limits);
        found.push(...violations(item, requests, limits));
      }
    } else if (item.type === 'Pod') {
      const requests = podAmounts(withoutOverhead, 'requests');
      found.push(...violations(item, requests, podAmounts(withoutOverhead, 'limits')));
    }
  }
  return found;
}

/** The same for the storage that a claim asks for. */
export function claimViolations(
  claim: PersistentVolumeClaim,
  items: readonly LimitRangeItem[],
): string[] {
  const requests = amountsOf(claim.spec?.resources?.requests);
  const found: string[] = [];
  for (const item of items) {
    if (item.type !== 'PersistentVolumeClaim') continue;
    for (const [name, bound] of boundsOf(item.min)) {
      found.push(...belowMinimum(item.type, name, bound, requests.get(name), undefined));
    }
    for (const [name, bound] of boundsOf(item.max)) {
      const request = requests.get(name);
      const head = `maximum ${name} usage per ${item.type} is ${formatQuantity(bound)}`;
      if (request === undefined) found.push(`${head}.  No request is specified`);
      else if (isMore(request, bound)) {
        found.push(`${head}, but request is ${formatQuantity(request)}`);
      }
    }
  }
  return found;
}

function violations(item: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  const found: string[] = [];
  const { type } = item;
  for (const [name, bound] of boundsOf(item.min)) {
    found.push(...belowMinimum(type, name, bound, requests.get(name), limits.get(name)));
  }
  for (const [name, bound] of boundsOf(item.max)) {
    found.push(...aboveMaximum(type, name, bound, requests.get(name), limits.get(name)));
  }
  for (const [name, bound] of boundsOf(item.maxLimitRequestRatio)) {
    const why = ratioViolation(requests.get(name), limits.get(name), bound);
    if (why !== undefined) {
      const head = `${name} max limit to request ratio per ${type} is ${formatQuantity(bound)}`;
      found.push(`${head}, but ${why}`);
    }
  }
  return found;
}

function belowMinimum(
  type: string,
  name: string,
  bound: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  const head = `minimum ${name} usage per ${type} is ${formatQuantity(bound)}`;
  if (request === undefined) return [`${head}.  No request is specified`];
  if (isMore(bound, request)) return [`${head}, but request is ${formatQuantity(request)}`];
  if (limit !== undefined && isMore(bound, limit)) {
    return [`${head}, but limit is ${formatQuantity(limit)}`];
  }
  return [];
}

function aboveMaximum(
  type: string,
  name: string,
  bound: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  const head = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`;
  if (limit === undefined) return [`${head}.  No limit is specified`];
  if (isMore(limit, bound)) return [`${head}, but limit is ${formatQuantity(limit)}`];
  if (request !== undefined && isMore(request, bound)) {
    return [`${head}, but request is ${formatQuantity(request)}`];
  }
  return [];
}

function ratioViolation(
  request: Quantity | undefined,
  limit: Quantity | undefined,
  bound: Quantity,
): string | undefined {
  const requested = request === undefined ? 0 : quantityToNumber(request);
  const limited = limit === undefined ? 0 : quantityToNumber(limit);
  if (requested === 0) return 'no request is specified or request is 0';
  if (limited === 0) return 'no limit is specified or limit is 0';
  const ratio = limited / requested;
  return ratio > quantityToNumber(bound) ? `provided ratio is ${ratio.toFixed(6)}` : undefined;
}

function boundsOf(list: Readonly<Record<string, unknown>> | undefined): [string, Quantity][] {
  return Object.entries(list ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, parseQuantity(String(value))]);
}

function isMore(left: Quantity, right: Quantity): boolean {
  return compareQuantity(left, right) > 0;
}
