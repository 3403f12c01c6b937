import { formatQuantity, quantityOf, zeroQuantity } from '#base/quantity.ts';
import type { GroupVersionResource, KubeObject, ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { addAmounts, countName, matchesScopes, usageOf } from '#schema/quota/mod.ts';
import type { Amounts } from '#schema/quota/mod.ts';
import type { ResourceQuota } from '#schema/types.ts';

const podAmount = /^(pods|cpu|memory|ephemeral-storage|hugepages-.+)$/;
const podRequest = /^requests\.(cpu|memory|ephemeral-storage|hugepages-.+|.+\/.+)$/;
const podLimit = /^limits\.(cpu|memory|ephemeral-storage)$/;
const claimAmount =
  /^requests\.storage$|\.storageclass\.storage\.k8s\.io\/(requests\.storage|persistentvolumeclaims)$/;
/** Kinds that are counted by their plain name as well. */
const plainNames = new Set([
  'configmaps',
  'secrets',
  'replicationcontrollers',
  'resourcequotas',
  'services',
  'persistentvolumeclaims',
]);
/** Kinds whose objects count for more than one each. */
const measured = new Set(['pods', 'services', 'persistentvolumeclaims']);

/** Which resource decides how much of a quota's amount is used; undefined for an unknown amount. */
export function sourceOf(name: string, all: readonly ResourceInfo[]): ResourceInfo | undefined {
  const core = (resource: string): ResourceInfo | undefined =>
    all.find((info) => info.group === '' && info.resource === resource);
  if (name.startsWith('count/')) {
    return all.find((info) => info.namespaced && countName(info) === name);
  }
  if (claimAmount.test(name)) return core('persistentvolumeclaims');
  if (podAmount.test(name) || podRequest.test(name) || podLimit.test(name)) return core('pods');
  if (name === 'services.nodeports' || name === 'services.loadbalancers') return core('services');
  return plainNames.has(name) ? core(name) : undefined;
}

export interface ObjectSource {
  /** All objects of a measured resource in the namespace. */
  list(resource: GroupVersionResource, namespace: string): readonly KubeObject[];
  /** How many objects of any other resource there are. */
  count(resource: GroupVersionResource, namespace: string): Promise<number>;
}

/** What the namespace uses of the amounts that the quota bounds and that are known. */
export async function usedAmounts(
  quota: ResourceQuota,
  all: readonly ResourceInfo[],
  objects: ObjectSource,
  nowMs: number,
): Promise<Record<string, string>> {
  const { namespace = '' } = quota.metadata;
  const names = Object.keys(quota.spec?.hard ?? {});
  const bySource = new Map<ResourceInfo, string[]>();
  for (const name of names) {
    const source = sourceOf(name, all);
    if (source === undefined) continue;
    bySource.set(source, [...(bySource.get(source) ?? []), name]);
  }
  const used: Record<string, string> = {};
  for (const [source, bounded] of bySource) {
    const amounts = await amountsOfSource(quota, source, objects, namespace, nowMs);
    for (const name of bounded) used[name] = formatQuantity(amounts.get(name) ?? zeroQuantity);
  }
  return used;
}

async function amountsOfSource(
  quota: ResourceQuota,
  source: ResourceInfo,
  objects: ObjectSource,
  namespace: string,
  nowMs: number,
): Promise<Amounts> {
  const total: Amounts = new Map();
  if (source.group === '' && measured.has(source.resource)) {
    for (const object of objects.list(source, namespace) as readonly UnknownObject[]) {
      if (matchesScopes(quota, source, object)) addAmounts(total, usageOf(source, object, nowMs));
    }
    return total;
  }
  const { scopes = [], scopeSelector } = quota.spec ?? {};
  // Scopes are about pods and claims: nothing else is in them.
  if (scopes.length > 0 || scopeSelector !== undefined) return total;
  const count = quantityOf(await objects.count(source, namespace));
  total.set(countName(source), count);
  total.set(source.resource, count);
  return total;
}
