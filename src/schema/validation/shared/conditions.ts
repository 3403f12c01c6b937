import type { Condition } from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import {
  checkFormat,
  checkMaxBytes,
  checkNotNegative,
  checkOneOf,
  requireFormat,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { conditionReasonErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';

export const conditionStatuses: readonly string[] = ['False', 'True', 'Unknown'];

/** A list of metav1.Condition. */
export function checkConditions(
  errors: ErrorList,
  path: FieldPath,
  conditions: ReadonlyArray<Unchecked<Condition>> | undefined,
): void {
  const seen = new Set<string>();
  (conditions ?? []).forEach((condition, index) => {
    const at = path.at(index);
    const { type = '', status = '', observedGeneration, reason, message } = condition;
    if (seen.has(type)) errors.duplicate(at, 'type', type);
    seen.add(type);
    checkFormat(errors, at, 'type', type, labelKeyErrors);
    checkOneOf(errors, at, 'status', status, conditionStatuses);
    const detail = 'must be greater than or equal to zero';
    checkNotNegative(errors, at, 'observedGeneration', observedGeneration, detail);
    requireText(errors, at, 'lastTransitionTime', condition.lastTransitionTime);
    requireFormat(errors, at, 'reason', reason, conditionReasonErrors);
    checkMaxBytes(errors, at, 'reason', reason, 1024);
    checkMaxBytes(errors, at, 'message', message, 32768);
  });
}
