import { ApiStatusError } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Pod, PodDisruptionBudget } from '#schema/types.ts';
import { forbidden, internalError } from '../api-errors.ts';
import { listEntries, Selection } from '../cache/mod.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import type { ResourceRequestContext } from '../request.ts';
import { StaleObject } from '../storage/object-store.ts';
import { podResource, successStatus } from './binding.ts';
import { readDeleteOptions } from './delete-options.ts';
import { deleteObject } from './delete.ts';
import { getObject, readyCache } from './get.ts';
import { checkName } from './write-options.ts';

const maxDisruptedPods = 2000;
const maxAttempts = 20;
const stillProcessingSeconds = 10;

/** Deletes a pod if its disruption budget lets it go; 429 when it does not. */
export async function evictPod(
  core: Core,
  object: UnknownObject,
  context: ResourceRequestContext,
): Promise<UnknownObject> {
  const served = podResource(core);
  const { namespace, name } = context.info;
  checkName(object.metadata.name, name);
  const options = readDeleteOptions(
    (object['deleteOptions'] ?? {}) as UnknownObject,
    context.query,
  );
  const attributes = {
    context,
    operation: 'CREATE' as const,
    subresource: 'eviction',
    namespace,
    name,
    object,
    oldObject: undefined,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    dryRun: options.dryRun,
  };
  await core.admission.mutate(attributes);
  await core.admission.validate(attributes);
  const entry = await getObject(core, served, namespace, name);
  const pod = entry.object() as unknown as Pod;
  if (!needsNoBudget(pod)) await spendBudget(core, pod, options.dryRun);
  const preconditions = { ...options.preconditions, uid: pod.metadata.uid };
  const deletion = { ...options, preconditions };
  const podContext = { ...contextOf(context), resource: served.info };
  await deleteObject({ core, served, context: podContext, namespace, name, options: deletion });
  return successStatus as unknown as UnknownObject;
}

/** The context without its getters, so that it can be spread. */
function contextOf(context: ResourceRequestContext): ResourceRequestContext {
  const { info, user, query, warnings, userAgent, signal, auditId, trail, resource } = context;
  return { info, user, query, warnings, userAgent, signal, auditId, trail, resource };
}

/** A pod that does no work cannot disturb any. */
function needsNoBudget({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return true;
  return ['Pending', 'Succeeded', 'Failed'].includes(status?.phase ?? '');
}

async function spendBudget(core: Core, pod: Pod, dryRun: boolean): Promise<void> {
  const served = core.registry.byResource({
    group: 'policy',
    version: 'v1',
    resource: 'poddisruptionbudgets',
  });
  if (served === undefined) return;
  const cache = await readyCache(core, served, 'list');
  for (let attempt = 1; ; attempt++) {
    const entry = budgetOf(cache, pod);
    if (entry === undefined) return;
    const budget = entry.object() as unknown as PodDisruptionBudget;
    if (isUnreadyAllowed(budget, pod)) return;
    const spent = spentBudget(budget, pod, core.clock.now());
    if (dryRun) return;
    try {
      await core.store.update(cache, entry, spent as unknown as UnknownObject);
      return;
    } catch (error) {
      if (!(error instanceof StaleObject) || attempt === maxAttempts) throw error;
    }
  }
}

function budgetOf(cache: PrefixCache, { metadata }: Pod): CacheEntry | undefined {
  const selection = new Selection({ namespace: metadata.namespace });
  const { entries } = listEntries(cache, { selection, limit: 0, start: '' });
  const matching = entries.filter((entry) => {
    const budget = entry.object() as unknown as PodDisruptionBudget;
    return labelSelectorFrom(budget.spec?.selector).matches(metadata.labels ?? {});
  });
  if (matching.length > 1) {
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  return matching[0];
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
}

/** A running pod that is not ready may go when the budget is met, or always if it says so. */
function isUnreadyAllowed({ spec, status }: PodDisruptionBudget, pod: Pod): boolean {
  if (isReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function spentBudget(budget: PodDisruptionBudget, pod: Pod, nowMs: number): PodDisruptionBudget {
  const { metadata, status } = budget;
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw tooMany(
      `The disruption budget ${metadata.name} is still being processed by the server.`,
      stillProcessingSeconds,
    );
  }
  const resource = { group: 'policy', resource: 'poddisruptionbudgets' };
  const allowed = status.disruptionsAllowed ?? 0;
  if (allowed < 0) {
    throw forbidden(resource, metadata.name, 'pdb disruptions allowed is negative');
  }
  if (Object.keys(status.disruptedPods ?? {}).length > maxDisruptedPods) {
    throw forbidden(
      resource,
      metadata.name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    );
  }
  if (allowed === 0) {
    throw tooMany(
      `The disruption budget ${metadata.name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
      0,
    );
  }
  return {
    ...budget,
    metadata: { ...metadata },
    status: {
      ...status,
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...status.disruptedPods, [pod.metadata.name]: formatTime(nowMs) },
    },
  };
}

function tooMany(cause: string, retryAfterSeconds: number): ApiStatusError {
  return new ApiStatusError({
    httpCode: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
      causes: [{ reason: 'DisruptionBudget', message: cause }],
    },
  });
}
