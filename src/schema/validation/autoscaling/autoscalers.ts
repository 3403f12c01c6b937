import type {
  HorizontalPodAutoscaler,
  V2CrossVersionObjectReference,
  V2HPAScalingRules,
  V2HorizontalPodAutoscaler,
} from '../../generated/types.ts';
import { checkNotNegative, checkOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { isNegative } from '../shared/quantities.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkCounts } from '../workloads/replica-counts.ts';
import { checkMetric } from './metrics.ts';
import { checkScaleTarget } from './scale-target.ts';

interface Bounds {
  readonly minReplicas?: number | undefined;
  readonly maxReplicas?: number | undefined;
  readonly scaleTargetRef?: Unchecked<V2CrossVersionObjectReference> | undefined;
}

const maxWindowSeconds = 3600;
const maxPeriodSeconds = 1800;
const selectPolicies = ['Disabled', 'Max', 'Min'];
const policyTypes = ['Percent', 'Pods'];
const counters = ['currentReplicas', 'desiredReplicas'];

function checkBounds(errors: ErrorList, spec: Bounds, old: Bounds | undefined): void {
  const { minReplicas, maxReplicas = 0, scaleTargetRef: target = {} } = spec;
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.invalid(specPath, 'minReplicas', minReplicas, 'must be greater than or equal to 1');
  }
  if (maxReplicas === 0) errors.required(specPath, 'maxReplicas', 'must be set and greater than 0');
  else if (maxReplicas < 1) {
    errors.invalid(specPath, 'maxReplicas', maxReplicas, 'must be greater than or equal to 1');
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const detail = 'must be greater than or equal to `minReplicas`';
    errors.invalid(specPath, 'maxReplicas', maxReplicas, detail);
  }
  const stored = old?.scaleTargetRef;
  const isSame = stored?.kind === target.kind && stored?.apiVersion === target.apiVersion;
  checkScaleTarget(errors, specPath.child('scaleTargetRef'), target, old === undefined || !isSame);
}

export const autoscalerRules: KindRules<V2HorizontalPodAutoscaler> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    checkBounds(errors, spec, old?.spec);
    checkScaleToZero(errors, spec);
    (spec.metrics ?? []).forEach((metric, index) => {
      checkMetric(errors, specPath.child('metrics').at(index), metric);
    });
    const path = specPath.child('behavior');
    const { scaleUp, scaleDown } = spec.behavior ?? {};
    if (scaleUp !== undefined) checkScaling(errors, path.child('scaleUp'), scaleUp);
    if (scaleDown !== undefined) checkScaling(errors, path.child('scaleDown'), scaleDown);
  },
  subresources: {
    status(errors, { status = {} }) {
      checkCounts(errors, status, counters);
    },
  },
};

/** The use of pods that are not there says nothing. */
function checkScaleToZero(
  errors: ErrorList,
  { minReplicas, metrics = [] }: NonNullable<Unchecked<V2HorizontalPodAutoscaler>['spec']>,
): void {
  if (minReplicas !== 0) return;
  if (metrics.some(({ type }) => type === 'Object' || type === 'External')) return;
  const detail =
    'must specify at least one Object or External metric to support scaling to zero replicas';
  errors.forbidden(specPath, 'metrics', detail);
}

/** The first version knows one metric, the use of cpu. */
export const autoscalerV1Rules: KindRules<HorizontalPodAutoscaler> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    checkBounds(errors, spec, old?.spec);
    const { targetCPUUtilizationPercentage: percentage } = spec;
    if (percentage === undefined || percentage >= 1) return;
    const path = specPath.child('metrics').at(0).child('resource.target');
    errors.invalid(path, 'averageUtilization', percentage, 'must be greater than 0');
  },
  subresources: {
    status(errors, { status = {} }) {
      checkCounts(errors, status, counters);
    },
  },
};

function checkScaling(
  errors: ErrorList,
  path: FieldPath,
  rules: Unchecked<V2HPAScalingRules>,
): void {
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  const atLeastZero = 'must be greater than or equal to zero';
  checkNotNegative(errors, path, 'stabilizationWindowSeconds', seconds, atLeastZero);
  if (seconds !== undefined && seconds > maxWindowSeconds) {
    const detail = `must be less than or equal to ${maxWindowSeconds}`;
    errors.invalid(path, 'stabilizationWindowSeconds', seconds, detail);
  }
  checkOneOf(errors, path, 'selectPolicy', selectPolicy, selectPolicies);
  if (policies.length === 0) {
    errors.required(path, 'policies', 'must specify at least one Policy');
  }
  policies.forEach(({ type = '', value = 0, periodSeconds = 0 }, index) => {
    const at = path.child('policies').at(index);
    checkOneOf(errors, at, 'type', type, policyTypes);
    if (value <= 0) errors.invalid(at, 'value', value, 'must be greater than zero');
    if (periodSeconds <= 0) {
      errors.invalid(at, 'periodSeconds', periodSeconds, 'must be greater than zero');
    } else if (periodSeconds > maxPeriodSeconds) {
      const detail = `must be less than or equal to ${maxPeriodSeconds}`;
      errors.invalid(at, 'periodSeconds', periodSeconds, detail);
    }
  });
  if (tolerance !== undefined && isNegative(tolerance)) {
    errors.invalid(path, 'tolerance', tolerance, 'must be greater than or equal to 0');
  }
}
