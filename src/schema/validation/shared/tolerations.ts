import type { Toleration } from '../../generated/types.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import { checkOneOf, checkOptionalFormat } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';

export const taintEffects: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const operators = ['Equal', 'Exists'];
const gatedOperators = ['Equal', 'Exists', 'Lt', 'Gt'];

const keyText =
  'operator must be Exists when `key` is empty, which means "match all values and all keys"';

export function checkToleration(
  errors: ErrorList,
  path: FieldPath,
  toleration: Unchecked<Toleration>,
): void {
  const { key = '', operator = '', value = '', effect = '' } = toleration;
  checkOptionalFormat(errors, path, 'key', key, labelKeyErrors);
  if (key === '' && operator !== 'Exists') errors.invalid(path, 'operator', operator, keyText);
  if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.invalid(path, 'effect', effect, detail);
  }
  checkOperator(errors, path, operator, value);
  if (effect !== '') checkOneOf(errors, path, 'effect', effect, taintEffects);
}

function checkOperator(errors: ErrorList, path: FieldPath, operator: string, value: string): void {
  if (operator === 'Equal' || operator === '') {
    const messages = labelValueErrors(value);
    if (messages.length > 0) errors.invalid(path, 'operator', value, messages.join(';'));
  } else if (operator === 'Exists') {
    if (value === '') return;
    errors.invalid(path, 'operator', value, "value must be empty when `operator` is 'Exists'");
  } else {
    const isGated = operator === 'Lt' || operator === 'Gt';
    errors.notSupported(path, 'operator', operator, isGated ? gatedOperators : operators);
  }
}
