import type { DaemonSet, DaemonSetUpdateStrategy } from '../../generated/types.ts';
import { checkImmutable, checkNotNegative } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkIntOrPercent, checkNotOver100Percent, isZero } from '../shared/int-or-percent.ts';
import { checkLabelSelector, isEmptySelector } from '../shared/label-selector.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkCollisions, checkCounts } from './replica-counts.ts';
import { checkLastingTemplate, checkTemplateLabels } from './workload-template.ts';

const strategies = ['RollingUpdate', 'OnDelete'];
const counters = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
];

export const daemonSetRules: KindRules<DaemonSet> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    const { selector, template = {} } = spec;
    checkLabelSelector(errors, specPath.child('selector'), selector, old?.spec?.selector);
    checkTemplateLabels(errors, specPath, spec);
    if (selector !== undefined && isEmptySelector(selector)) {
      const detail = 'empty selector is invalid for daemonset';
      errors.invalid(specPath, 'selector', selector, detail);
    }
    const options = { old: old?.spec?.template };
    checkLastingTemplate(errors, specPath, template, 'DaemonSet', options);
    checkNotNegative(errors, specPath, 'minReadySeconds', spec.minReadySeconds);
    checkStrategy(errors, spec.updateStrategy ?? {});
    checkNotNegative(errors, specPath, 'revisionHistoryLimit', spec.revisionHistoryLimit);
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, specPath, 'selector', spec?.selector, old.spec?.selector);
  },
  subresources: {
    status(errors, { status = {} }, old) {
      checkCounts(errors, status, counters);
      checkCollisions(errors, status, old.status);
    },
  },
};

function checkStrategy(errors: ErrorList, strategy: Unchecked<DaemonSetUpdateStrategy>): void {
  const path = specPath.child('updateStrategy');
  if (strategy.type === 'OnDelete') return;
  if (strategy.type !== 'RollingUpdate') {
    errors.notSupported(path, '', strategy, strategies);
    return;
  }
  if (strategy.rollingUpdate === undefined) {
    errors.required(path, 'rollingUpdate');
    return;
  }
  const at = path.child('rollingUpdate');
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate;
  checkIntOrPercent(errors, at, 'maxUnavailable', maxUnavailable);
  checkIntOrPercent(errors, at, 'maxSurge', maxSurge);
  checkNotOver100Percent(errors, at, 'maxUnavailable', maxUnavailable);
  checkNotOver100Percent(errors, at, 'maxSurge', maxSurge);
  const hasUnavailable = !isZero(maxUnavailable);
  const hasSurge = !isZero(maxSurge);
  if (hasUnavailable && hasSurge) {
    const detail = 'may not be set when maxUnavailable is non-zero';
    errors.invalid(at, 'maxSurge', maxSurge, detail);
  } else if (!hasUnavailable && !hasSurge) {
    errors.required(at, 'maxUnavailable', 'cannot be 0 when maxSurge is 0');
  }
}
