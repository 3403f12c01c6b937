import type { PodDisruptionBudget } from '../../generated/types.ts';
import { checkOneOf } from '../checks.ts';
import { specPath, statusPath } from '../field-path.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkConditions } from '../shared/conditions.ts';
import { checkIntOrPercent, checkNotOver100Percent } from '../shared/int-or-percent.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import { checkCounts } from '../workloads/replica-counts.ts';

const evictionPolicies = ['AlwaysAllow', 'IfHealthyBudget'];
const budgetCounters = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'];

export const podDisruptionBudgetRules: KindRules<PodDisruptionBudget> = {
  check(errors, { spec = {} }, old) {
    const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy } = spec;
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      const detail = 'minAvailable and maxUnavailable cannot be both set';
      errors.invalid(specPath, '', spec, detail);
    }
    for (const [field, value] of Object.entries({ minAvailable, maxUnavailable })) {
      checkIntOrPercent(errors, specPath, field, value);
      checkNotOver100Percent(errors, specPath, field, value);
    }
    checkLabelSelector(errors, specPath.child('selector'), spec.selector, old?.spec?.selector);
    const field = 'unhealthyPodEvictionPolicy';
    checkOneOf(errors, specPath, field, unhealthyPodEvictionPolicy, evictionPolicies);
  },
  subresources: {
    status(errors, { status = {} }) {
      checkConditions(errors, statusPath.child('conditions'), status.conditions);
      checkCounts(errors, status, budgetCounters);
    },
  },
};
