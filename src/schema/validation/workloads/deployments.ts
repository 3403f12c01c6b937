import type { Deployment, DeploymentStrategy } from '../../generated/types.ts';
import { checkImmutable, checkNotNegative } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkIntOrPercent, checkNotOver100Percent, isZero } from '../shared/int-or-percent.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkCollisions, checkCounts, checkParts } from './replica-counts.ts';
import {
  checkLastingTemplate,
  checkTemplateLabels,
  checkWorkloadSelector,
} from './workload-template.ts';

const strategies = ['Recreate', 'RollingUpdate'];
const counters = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'collisionCount',
];
const parts = ['updatedReplicas', 'readyReplicas', 'availableReplicas'];

export const deploymentRules: KindRules<Deployment> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    checkNotNegative(errors, specPath, 'replicas', spec.replicas);
    checkWorkloadSelector(errors, specPath, spec, 'deployment', old?.spec);
    checkTemplateLabels(errors, specPath, spec);
    const { template = {} } = spec;
    const options = { old: old?.spec?.template };
    checkLastingTemplate(errors, specPath, template, 'ReplicaSet', options);
    checkStrategy(errors, spec.strategy ?? {});
    checkNotNegative(errors, specPath, 'minReadySeconds', spec.minReadySeconds);
    checkNotNegative(errors, specPath, 'revisionHistoryLimit', spec.revisionHistoryLimit);
    const { progressDeadlineSeconds: seconds } = spec;
    if (seconds === undefined) return;
    checkNotNegative(errors, specPath, 'progressDeadlineSeconds', seconds);
    if (seconds <= (spec.minReadySeconds ?? 0)) {
      const detail = 'must be greater than minReadySeconds';
      errors.invalid(specPath, 'progressDeadlineSeconds', seconds, detail);
    }
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, specPath, 'selector', spec?.selector, old.spec?.selector);
  },
  subresources: {
    status(errors, { status = {} }, old) {
      checkCounts(errors, status, counters);
      checkParts(errors, status, parts);
      checkCollisions(errors, status, old.status);
    },
  },
};

function checkStrategy(errors: ErrorList, strategy: Unchecked<DeploymentStrategy>): void {
  const { type, rollingUpdate } = strategy;
  const path = specPath.child('strategy');
  if (type === 'Recreate') {
    if (rollingUpdate === undefined) return;
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    errors.forbidden(path, 'rollingUpdate', detail);
  } else if (type !== 'RollingUpdate') errors.notSupported(path, '', strategy, strategies);
  else if (rollingUpdate === undefined) {
    errors.required(path, 'rollingUpdate', 'this should be defaulted and never be nil');
  } else {
    const at = path.child('rollingUpdate');
    const { maxUnavailable, maxSurge } = rollingUpdate;
    checkIntOrPercent(errors, at, 'maxUnavailable', maxUnavailable);
    checkIntOrPercent(errors, at, 'maxSurge', maxSurge);
    if (isZero(maxUnavailable) && isZero(maxSurge)) {
      const detail = 'may not be 0 when `maxSurge` is 0';
      errors.invalid(at, 'maxUnavailable', maxUnavailable ?? 0, detail);
    }
    checkNotOver100Percent(errors, at, 'maxUnavailable', maxUnavailable);
  }
}
