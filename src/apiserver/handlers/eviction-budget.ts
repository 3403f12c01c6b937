import { ApiStatusError } from '#base/api-status-error.ts';
import { formatTime } from '#base/clock.ts';
import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { Condition, Pod, PodDisruptionBudget } from '#schema/types.ts';
import { forbidden, requestTimeout } from '../api-errors.ts';
import { listEntries, Selection } from '../cache/mod.ts';
import type { CacheEntry, PrefixCache } from '../cache/mod.ts';
import type { Core } from '../core.ts';
import { StaleObject } from '../storage/object-store.ts';
import { readyCache } from './get.ts';

const maxDisruptedPods = 2000;
const maxAttempts = 20;
const stillProcessingSeconds = 10;
const allowedType = 'DisruptionAllowed';

/** What the budget of a pod says of its eviction. */
export type BudgetVerdict =
  /** No budget, or one that was reduced by this pod. */
  | 'evict'
  /** The pod is not ready, so that the budget does not mind: only as long as it stays as it is. */
  | 'evictUnchanged'
  /** More than one budget selects the pod. */
  | 'ambiguous';

/** Asks the budget of the pod and reduces it; throws 429 and 403 where it lets nobody go. */
export async function spendBudget(core: Core, pod: Pod, dryRun: boolean): Promise<BudgetVerdict> {
  const served = core.registry.byResource({
    group: 'policy',
    version: 'v1',
    resource: 'poddisruptionbudgets',
  });
  if (served === undefined) return 'evict';
  const cache = await readyCache(core, served, 'list');
  const budgets = budgetsOf(cache, pod);
  if (budgets.length > 1) return 'ambiguous';
  let entry = budgets[0];
  if (entry === undefined) return 'evict';
  if (isUnreadyAllowed(entry.object(), pod)) {
    return 'evictUnchanged';
  }
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const budget = entry.object();
    const spent = spentBudget(budget, pod, core.clock.now());
    if (dryRun) return 'evict';
    try {
      await core.store.update(cache, entry, spent as never);
      return 'evict';
    } catch (error) {
      if (!(error instanceof StaleObject)) throw error;
      if (error.current === undefined) return 'evict';
      entry = error.current;
    }
  }
  const name = JSON.stringify(entry.name);
  throw requestTimeout(`couldn't update PodDisruptionBudget ${name} due to conflicts`);
}

function budgetsOf(cache: PrefixCache, { metadata }: Pod): CacheEntry[] {
  const selection = new Selection({ namespace: metadata.namespace });
  const { entries } = listEntries(cache, { selection, limit: 0, start: '' });
  return entries.filter((entry) => {
    const budget: PodDisruptionBudget = entry.object();
    return labelSelectorFrom(budget.spec?.selector).matches(metadata.labels ?? {});
  });
}

export function isReady({ status }: Pod): boolean {
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
  const resource = { group: 'policy', resource: 'poddisruptionbudget' };
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
  if (allowed === 0) throw tooMany(whyNot(budget), 0);
  return {
    ...budget,
    metadata: { ...metadata },
    status: {
      ...status,
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...status.disruptedPods, [pod.metadata.name]: formatTime(nowMs) },
      ...(allowed > 1 ? {} : { conditions: usedUp(status, nowMs) }),
    },
  };
}

/** A sync that failed comes first: the numbers cannot be trusted then. */
function whyNot({ metadata, status }: PodDisruptionBudget): string {
  const { currentHealthy = 0, desiredHealthy = 0, conditions = [] } = status ?? {};
  const head = `The disruption budget ${metadata.name}`;
  const refusing = conditions.find(
    ({ type, status: value, message }) =>
      type === allowedType && value === 'False' && message !== '',
  );
  if (refusing?.reason === 'SyncFailed') {
    return `${head} does not allow evicting pods currently because it failed sync: ${refusing.message}`;
  }
  if (currentHealthy <= desiredHealthy) {
    return `${head} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  const why = refusing === undefined ? '' : ` (${refusing.reason}): ${refusing.message}`;
  return `${head} does not allow evicting pods currently${why}`;
}

type BudgetStatus = NonNullable<PodDisruptionBudget['status']>;

function usedUp({ conditions = [], observedGeneration }: BudgetStatus, nowMs: number): Condition[] {
  const before = conditions.find(({ type }) => type === allowedType);
  const isSame = before?.status === 'False';
  const condition: Condition = {
    type: allowedType,
    status: 'False',
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    lastTransitionTime: isSame ? before.lastTransitionTime : formatTime(nowMs),
    reason: 'InsufficientPods',
    message: '',
  };
  if (before === undefined) return [...conditions, condition];
  return conditions.map((one) => (one === before ? condition : one));
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
