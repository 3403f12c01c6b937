import { labelSelectorFrom } from '#schema/selectors/mod.ts';
import type { LabelSelector } from '#schema/selectors/mod.ts';
import type { PodDisruptionBudget } from '#schema/types.ts';
import type { PodInfo } from '../../framework/node-info.ts';

interface Budget {
  readonly selector: LabelSelector;
  readonly disruptedPods: Readonly<Record<string, unknown>>;
  allowed: number;
}

/**
 * Parts pods into those whose eviction would break a PodDisruptionBudget and the others, taken in
 * this order: a budget that allows one disruption is broken by the second pod.
 */
export function splitByBudget(
  pods: readonly PodInfo[],
  budgetsOf: (namespace: string) => readonly PodDisruptionBudget[],
): { violating: PodInfo[]; free: PodInfo[] } {
  const known = new Map<string, Budget[]>();
  const violating: PodInfo[] = [];
  const free: PodInfo[] = [];
  for (const info of pods) {
    const { labels, namespace = '', name } = info.pod.metadata;
    const budgets = known.get(namespace) ?? budgetsOf(namespace).map(open);
    known.set(namespace, budgets);
    let isViolating = false;
    for (const budget of budgets) {
      if (Object.keys(labels ?? {}).length === 0) break;
      if (budget.selector.isEmpty || !budget.selector.matches(labels)) continue;
      // an eviction that the API server has granted already is counted in the status
      if (name in budget.disruptedPods) continue;
      budget.allowed--;
      if (budget.allowed < 0) isViolating = true;
    }
    (isViolating ? violating : free).push(info);
  }
  return { violating, free };
}

function open({ spec, status }: PodDisruptionBudget): Budget {
  return {
    selector: labelSelectorFrom(spec?.selector),
    disruptedPods: status?.disruptedPods ?? {},
    allowed: status?.disruptionsAllowed ?? 0,
  };
}
