import type { LabelSelector, LabelSelectorRequirement } from '../../generated/types.ts';
import { labelSelectorFrom } from '../../selectors/label-selector.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import { checkFormat } from '../checks.ts';
import { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath } from '../field-path.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';
import { checkLabels } from './object-meta.ts';

const valuesText = "must be specified when `operator` is 'In' or 'NotIn'";
const noValuesText = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
export const badOperatorText = 'not a valid selector operator';

/** A metav1.LabelSelector; absent passes. `old` forgives values that were bad before. */
export function checkLabelSelector(
  errors: ErrorList,
  path: FieldPath,
  selector: Unchecked<LabelSelector> | undefined,
  old?: Unchecked<LabelSelector>,
): void {
  if (selector === undefined) return;
  const { matchLabels, matchExpressions } = selector;
  if (matchLabels !== undefined) checkLabels(errors, path, 'matchLabels', matchLabels);
  if (matchExpressions === undefined || matchExpressions.length === 0) return;
  const expressionsPath = path.child('matchExpressions');
  const isForgiving = old !== undefined && hasBadValue(old);
  for (let index = 0; index < matchExpressions.length; index++) {
    const at = expressionsPath.at(index);
    const expression = matchExpressions[index] ?? {};
    checkOperator(errors, at, expression);
    checkFormat(errors, at, 'key', expression.key, labelKeyErrors);
    if (isForgiving) continue;
    const valuesPath = at.child('values');
    (expression.values ?? []).forEach((value, place) => {
      checkFormat(errors, valuesPath, place, value, labelValueErrors);
    });
  }
}

function hasBadValue(selector: Unchecked<LabelSelector>): boolean {
  return (selector.matchExpressions ?? []).some((expression) =>
    expression.values?.some((value) => labelValueErrors(value).length > 0),
  );
}

/** Values are there when the operator needs them, and only then. */
export function checkOperator(
  errors: ErrorList,
  path: FieldPath,
  expression: Unchecked<LabelSelectorRequirement>,
): void {
  const { operator = '', values = [] } = expression;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.required(path, 'values', valuesText);
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.forbidden(path, 'values', noValuesText);
  } else errors.invalid(path, 'operator', operator, badOperatorText);
}

export function isEmptySelector(selector: Unchecked<LabelSelector> | undefined): boolean {
  if (selector === undefined) return true;
  for (const key in selector.matchLabels) if (key !== undefined) return false;
  return (selector.matchExpressions?.length ?? 0) === 0;
}

/** Whether the selector matches; undefined when it is no valid one. */
export function selectorMatches(
  selector: Unchecked<LabelSelector> | undefined,
  labels: StringMap | undefined,
): boolean | undefined {
  const onlyLabels = (selector?.matchExpressions?.length ?? 0) === 0;
  if (selector !== undefined && onlyLabels) return hasLabels(selector.matchLabels, labels);
  const errors = new ErrorList();
  checkLabelSelector(errors, rootPath, selector);
  if (errors.count > 0) return undefined;
  const compiled = labelSelectorFrom(selector as LabelSelector | undefined);
  return compiled.matches(labels as Record<string, string>);
}

function hasLabels(wanted: StringMap | undefined, labels: StringMap | undefined): boolean {
  for (const key in wanted) if (labels?.[key] !== wanted[key]) return false;
  return true;
}
