import { objectKey, resources, startControllerLoop } from '#client/mod.ts';
import type { Informer } from '#client/mod.ts';
import type { KubeObject, ResourceInfo } from '#schema/mod.ts';
import { amountsOf, isTerminal } from '#schema/quota/mod.ts';
import { compareQuantity } from '#base/quantity.ts';
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isSameJson } from '../json-equality.ts';
import { isObjectGone } from '../owner-gone.ts';
import { createCountFollowers } from './count-followers.ts';
import { sourceOf, usedAmounts } from './used-amounts.ts';
import type { ObjectSource } from './used-amounts.ts';

/** Everything is added up anew this often, whatever was missed. */
const defaultResyncMs = 5 * 60_000;

/** Keeps status.hard and status.used of ResourceQuotas. */
export const startResourceQuotaController: StartController = (context) => {
  const { client, informers, clock, log, signal, options } = context;
  const { quotaResyncMs = defaultResyncMs } = options;
  const inTime = quotaResyncMs === 0 ? undefined : { requeueAfterMs: quotaResyncMs };
  const quotas = informers.informer<ResourceQuota>(resources.resourceQuotas);
  const pods = informers.informer<Pod>(resources.pods);
  const services = informers.informer<Service>(resources.services);
  const claims = informers.informer<PersistentVolumeClaim>(resources.persistentVolumeClaims);
  const measured: Readonly<Record<string, Informer<KubeObject>>> = {
    pods: pods,
    services: services,
    persistentvolumeclaims: claims,
  };
  const objects: ObjectSource = {
    list: ({ resource }, namespace) => measured[resource]?.listNamespace(namespace) ?? [],
    async count(resource, namespace) {
      const { items, metadata } = await client.list(resource, { namespace, limit: 1 });
      return items.length + (metadata.remainingItemCount ?? 0);
    },
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'resourcequota-controller',
    clock,
    log,
    signal,
    workers: 5,
    ready: Promise.all([quotas, pods, services, claims].map((informer) => informer.synced(signal))),
    async reconcile(key) {
      const quota = quotas.get(key);
      if (quota === undefined) return undefined;
      const used = await usedAmounts(quota, options.resources(), objects, clock.now());
      const { hard = {} } = quota.spec ?? {};
      const isDone =
        isSameAmounts(quota.status?.hard, hard) && isSameAmounts(quota.status?.used, used);
      if (isDone) return inTime;
      const { namespace } = quota.metadata;
      const next = { ...quota, status: { hard, used } };
      try {
        const writeOptions = { namespace, subresource: 'status' };
        await client.update<ResourceQuota>(resources.resourceQuotas, next, writeOptions);
      } catch (error) {
        if (!isObjectGone(error, quota)) throw error;
      }
      return inTime;
    },
  });
  const { queue } = loop;
  const enqueueNamespace = (namespace: string): void => {
    for (const quota of quotas.listNamespace(namespace)) queue.add(objectKey(quota));
  };
  const followers = createCountFollowers({ ...context, onDelete: enqueueNamespace });
  const followCounted = (): void => {
    const all = options.resources();
    const names = new Set(quotas.list().flatMap(({ spec }) => Object.keys(spec?.hard ?? {})));
    const wanted = [...names]
      .map((name) => sourceOf(name, all))
      .filter((info): info is ResourceInfo => info !== undefined)
      .filter(({ group, resource }) => group !== '' || measured[resource] === undefined);
    followers.follow(wanted);
  };
  quotas.addHandler({
    onAdd(quota) {
      followCounted();
      queue.add(objectKey(quota));
    },
    onUpdate(old, quota) {
      if (!isSameJson(old.spec, quota.spec)) followCounted();
      // Admission books in the status alone: what it wrote is not looked at again.
      const isSame =
        isSameJson(old.spec, quota.spec) && isSameAmounts(quota.status?.hard, quota.spec?.hard);
      if (!isSame) queue.add(objectKey(quota));
    },
    onDelete: followCounted,
  });
  // A kind that a quota counts may be defined after the quota.
  const removeListener = options.onResourcesChange?.(() => {
    followCounted();
    for (const quota of quotas.list()) queue.add(objectKey(quota));
  });
  const enqueueHome = (object: KubeObject): void => {
    enqueueNamespace(object.metadata.namespace ?? '');
  };
  pods.addHandler({
    onUpdate(old, pod) {
      if (quotas.listNamespace(pod.metadata.namespace ?? '').length === 0) return;
      const isResized = !isSameJson(sizesOf(old), sizesOf(pod));
      const isRescoped = old.spec?.activeDeadlineSeconds !== pod.spec?.activeDeadlineSeconds;
      if (isResized || isRescoped || isTerminal(old) !== isTerminal(pod)) enqueueHome(pod);
    },
    onDelete: enqueueHome,
  });
  services.addHandler({
    onUpdate(old, service) {
      if (!isSameJson(old.spec, service.spec)) enqueueHome(service);
    },
    onDelete: enqueueHome,
  });
  claims.addHandler({
    onUpdate(old, claim) {
      const isSame = isSameJson(old.spec, claim.spec) && isSameJson(old.status, claim.status);
      if (!isSame) enqueueHome(claim);
    },
    onDelete: enqueueHome,
  });
  return loop.done.then(async () => {
    removeListener?.();
    await followers.done();
  });
};

/** What a pod asks for, is promised and has. */
function sizesOf({ spec, status }: Pod): unknown {
  const { containers, resources: podLevel } = spec ?? {};
  const held = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map(
    ({ allocatedResources, resources }) => [allocatedResources, resources],
  );
  return [containers, podLevel, held];
}

/** The same names with the same values, however they are written. */
function isSameAmounts(
  a: Readonly<Record<string, unknown>> | undefined,
  b: Readonly<Record<string, unknown>> | undefined,
): boolean {
  const left = amountsOf(a);
  const right = amountsOf(b);
  if (left.size !== right.size) return false;
  return [...left].every(([name, value]) => {
    const other = right.get(name);
    return other !== undefined && compareQuantity(value, other) === 0;
  });
}
