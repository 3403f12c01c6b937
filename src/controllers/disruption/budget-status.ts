import { formatTime } from '#base/clock.ts';
import type {
  Condition,
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '#schema/types.ts';
import { scaledValue } from '../int-or-percent.ts';
import { isDeleting, isPodReady } from '../pods/pod-state.ts';

/** A pod that was let go is awaited for this long; then it counts as one that stays. */
const deletionTimeoutMs = 2 * 60_000;
const conditionType = 'DisruptionAllowed';

/** Whether the number of pods that should be there has to be asked of their controllers. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string';
}

interface Counts {
  readonly expected: number;
  readonly desired: number;
}

/** How many pods there should be, and how many of them must be healthy. */
export function wantedCounts(budget: PodDisruptionBudget, pods: number, scale: number): Counts {
  const { maxUnavailable, minAvailable } = budget.spec ?? {};
  if (maxUnavailable !== undefined) {
    const desired = Math.max(scale - scaledValue(maxUnavailable, scale, true), 0);
    return { expected: scale, desired };
  }
  if (minAvailable === undefined) return { expected: 0, desired: 0 };
  const expected = typeof minAvailable === 'number' ? pods : scale;
  return { expected, desired: scaledValue(minAvailable, expected, true) };
}

export interface DisruptedPods {
  /** Pods that the eviction API has let go and that are not being deleted yet. */
  readonly awaited: Readonly<Record<string, string>>;
  /** Pods that should have gone by now. */
  readonly overdue: readonly Pod[];
  readonly recheckMs: number | undefined;
}

export function disruptedPods(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  nowMs: number,
): DisruptedPods {
  const awaited: Record<string, string> = {};
  const overdue: Pod[] = [];
  let recheckMs: number | undefined;
  for (const pod of pods) {
    const since = budget.status?.disruptedPods?.[pod.metadata.name];
    if (since === undefined || isDeleting(pod)) continue;
    const leftMs = Date.parse(since) + deletionTimeoutMs - nowMs;
    if (leftMs < 0) overdue.push(pod);
    else {
      awaited[pod.metadata.name] = since;
      recheckMs = Math.min(recheckMs ?? leftMs, leftMs);
    }
  }
  return { awaited, overdue, recheckMs };
}

/** The status for these counts; pure. */
export function budgetStatus(options: {
  budget: PodDisruptionBudget;
  pods: readonly Pod[];
  counts: Counts;
  awaited: Readonly<Record<string, string>>;
  nowMs: number;
}): PodDisruptionBudgetStatus {
  const { budget, pods, counts, awaited, nowMs } = options;
  const healthy = pods.filter(
    (pod) => !isDeleting(pod) && awaited[pod.metadata.name] === undefined && isPodReady(pod),
  ).length;
  const spare = counts.expected <= 0 ? 0 : Math.max(healthy - counts.desired, 0);
  const generation = budget.metadata.generation;
  const next = {
    type: conditionType,
    status: spare > 0 ? 'True' : 'False',
    reason: spare > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: generation,
  };
  return {
    observedGeneration: generation,
    disruptionsAllowed: spare,
    currentHealthy: healthy,
    desiredHealthy: counts.desired,
    expectedPods: counts.expected,
    disruptedPods: Object.keys(awaited).length === 0 ? undefined : { ...awaited },
    conditions: withCondition(budget.status?.conditions, next, nowMs),
  };
}

/** No pod may go while it is not known how many there should be. */
export function failedStatus(
  budget: PodDisruptionBudget,
  message: string,
  nowMs: number,
): PodDisruptionBudgetStatus {
  const next = {
    type: conditionType,
    status: 'False',
    reason: 'SyncFailed',
    message,
    observedGeneration: budget.status?.observedGeneration,
  };
  return {
    ...(budget.status ?? { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }),
    disruptionsAllowed: 0,
    conditions: withCondition(budget.status?.conditions, next, nowMs),
  };
}

function withCondition(
  conditions: readonly Condition[] = [],
  next: Omit<Condition, 'lastTransitionTime'>,
  nowMs: number,
): Condition[] {
  const index = conditions.findIndex(({ type }) => type === next.type);
  const old = conditions[index];
  const isSameStatus = old !== undefined && old.status === next.status;
  const lastTransitionTime = isSameStatus ? old.lastTransitionTime : formatTime(nowMs);
  const condition = { ...next, lastTransitionTime };
  return old === undefined ? [...conditions, condition] : conditions.with(index, condition);
}
