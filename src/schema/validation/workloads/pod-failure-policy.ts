import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
} from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkFormat, checkMaxItems } from '../checks.ts';
import { noValue } from '../bad-value.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { conditionStatuses } from '../shared/conditions.ts';
import type { Unchecked } from '../unchecked.ts';

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const operators = ['In', 'NotIn'];
const maxRules = 20;
const maxExitCodes = 255;

/** What failures of pods mean for their job. */
export function checkFailurePolicy(
  errors: ErrorList,
  path: FieldPath,
  { rules = [] }: Unchecked<PodFailurePolicy>,
  spec: Unchecked<JobSpec>,
): void {
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name ?? ''));
  checkMaxItems(errors, path, 'rules', rules, maxRules);
  rules.forEach((rule, index) => {
    checkRule(errors, path.child('rules').at(index), rule, spec, names);
  });
}

function checkRule(
  errors: ErrorList,
  path: FieldPath,
  rule: Unchecked<PodFailurePolicyRule>,
  spec: Unchecked<JobSpec>,
  names: ReadonlySet<string>,
): void {
  const { action = '', onExitCodes, onPodConditions = [] } = rule;
  if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    const detail = 'requires the backoffLimitPerIndex to be set';
    errors.invalid(path, 'action', action, detail);
  } else requireListed(errors, path, 'action', action, actions);
  if (onExitCodes !== undefined) {
    checkExitCodes(errors, path.child('onExitCodes'), onExitCodes, names);
  }
  if (onPodConditions.length > 0) {
    checkMaxItems(errors, path, 'onPodConditions', onPodConditions, maxRules);
    onPodConditions.forEach(({ type, status = '' }, index) => {
      const at = path.child('onPodConditions').at(index);
      checkFormat(errors, at, 'type', type, labelKeyErrors);
      requireListed(errors, at, 'status', status, conditionStatuses);
    });
  }
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    const detail = 'specifying both OnExitCodes and OnPodConditions is not supported';
    errors.invalid(path, '', noValue, detail);
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    const detail = 'specifying one of OnExitCodes and OnPodConditions is required';
    errors.invalid(path, '', noValue, detail);
  }
}

/** As requireOneOf, but for the text of a missing value. */
function requireListed(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  value: string,
  values: readonly string[],
): void {
  if (value === '') {
    const list = values.map((one) => `"${one}"`).join(' ');
    errors.required(path, field, `valid values: [${list}]`);
  } else if (!values.includes(value)) errors.notSupported(path, field, value, values);
}

function checkExitCodes(
  errors: ErrorList,
  path: FieldPath,
  codes: Unchecked<PodFailurePolicyOnExitCodesRequirement>,
  names: ReadonlySet<string>,
): void {
  const { operator = '', containerName, values = [] } = codes;
  requireListed(errors, path, 'operator', operator, operators);
  if (containerName !== undefined && !names.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.invalid(path, 'containerName', containerName, detail);
  }
  if (values.length === 0) {
    errors.invalid(path, 'values', values, 'at least one value is required');
    return;
  }
  checkMaxItems(errors, path, 'values', values, maxExitCodes);
  const at = path.child('values');
  const seen = new Set<number>();
  let isOrdered = true;
  values.forEach((value, index) => {
    if (operator === 'In' && value === 0) {
      errors.invalid(at, index, value, 'must not be 0 for the In operator');
    }
    if (seen.has(value)) errors.duplicate(at, index, value);
    else seen.add(value);
    if (index > 0 && value < (values[index - 1] ?? value)) isOrdered = false;
  });
  if (!isOrdered) errors.invalid(path, 'values', values, 'must be ordered');
}
