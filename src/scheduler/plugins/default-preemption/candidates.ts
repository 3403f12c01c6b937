import type { PodDisruptionBudget } from '#schema/types.ts';
import type { NodeInfo, PodInfo } from '../../framework/node-info.ts';
import { cloneState } from '../../framework/plugin.ts';
import type { CycleState, FailedAttempt } from '../../framework/plugin.ts';
import { isSuccess } from '../../framework/status.ts';
import type { Status } from '../../framework/status.ts';
import { splitByBudget } from './disruption-budgets.ts';
import { compareImportance, priorityOf, startTimeOf } from './priority-of.ts';

/** A node and the pods that must leave it, the most important first. */
export interface Candidate {
  readonly nodeName: string;
  readonly victims: readonly PodInfo[];
  readonly budgetViolations: number;
}

const noVictims: Status = {
  code: 'UnschedulableAndUnresolvable',
  reasons: ['No preemption victims found for incoming pod'],
};

/**
 * Tries out which pods of lower priority must leave the node: all of them leave, then as many as
 * possible come back, those protected by a budget and the more important ones first.
 */
export function findVictims(options: {
  state: CycleState;
  pod: PodInfo;
  node: NodeInfo;
  attempt: FailedAttempt;
  budgetsOf: (namespace: string) => readonly PodDisruptionBudget[];
}): Candidate | Status {
  const { pod, attempt } = options;
  const lower = lessImportant(options.node, priorityOf(pod));
  // Before anything is copied: in most clusters most nodes have nobody to offer.
  if (lower.length === 0) return noVictims;
  const node = options.node.clone();
  const state = cloneState(options.state);
  const remove = (other: PodInfo): void => {
    node.removePod(other.key);
    attempt.removePod(state, pod, other, node);
  };
  for (const other of lower) remove(other);
  const status = attempt.filter(state, pod, node);
  if (!isSuccess(status) && status !== undefined) return status;

  const victims: PodInfo[] = [];
  const isSpared = (other: PodInfo): boolean => {
    node.addPod(other);
    attempt.addPod(state, pod, other, node);
    if (isSuccess(attempt.filter(state, pod, node))) return true;
    remove(other);
    victims.push(other);
    return false;
  };
  lower.sort(compareImportance);
  const { violating, free } = splitByBudget(lower, options.budgetsOf);
  let budgetViolations = 0;
  for (const other of violating) if (!isSpared(other)) budgetViolations++;
  for (const other of free) isSpared(other);
  victims.sort(compareImportance);
  return { nodeName: node.name, victims, budgetViolations };
}

function lessImportant({ pods, lowestPriority }: NodeInfo, priority: number): PodInfo[] {
  const found: PodInfo[] = [];
  if (lowestPriority >= priority) return found;
  for (const other of pods.values()) if (priorityOf(other) < priority) found.push(other);
  return found;
}

/**
 * The candidate that hurts least: fewest broken budgets, lowest most important victim, smallest sum
 * of priorities, fewest victims, latest start of the most important ones, first found.
 */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const cost of [
    ({ budgetViolations }: Candidate) => budgetViolations,
    ({ victims }: Candidate) => (victims[0] === undefined ? 0 : priorityOf(victims[0])),
    // shifted so that many victims of negative priority are no gain
    ({ victims }: Candidate) => victims.reduce((sum, one) => sum + priorityOf(one) + 2 ** 31, 0),
    ({ victims }: Candidate) => victims.length,
  ]) {
    const least = Math.min(...left.map(cost));
    left = left.filter((candidate) => cost(candidate) === least);
    if (left.length === 1) return left[0];
  }
  let best = left[0];
  for (const candidate of left.slice(1)) {
    if (best !== undefined && earliestStart(candidate) > earliestStart(best)) best = candidate;
  }
  return best;
}

/** Earliest start among the victims of the highest priority. */
function earliestStart({ victims }: Candidate): string {
  const [first] = victims;
  if (first === undefined) return '';
  const highest = victims.filter((victim) => priorityOf(victim) === priorityOf(first));
  return highest.map(startTimeOf).toSorted()[0] ?? '';
}
