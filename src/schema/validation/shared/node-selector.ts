import type {
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
} from '../../generated/types.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import { checkEachFormat, checkFormat } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';
import { badOperatorText, checkOperator } from './label-selector.ts';

export function checkNodeSelector(
  errors: ErrorList,
  path: FieldPath,
  selector: Unchecked<NodeSelector>,
): void {
  const terms = selector.nodeSelectorTerms ?? [];
  const termsPath = path.child('nodeSelectorTerms');
  if (terms.length === 0) {
    errors.required(termsPath, '', 'must have at least one node selector term');
  }
  for (let index = 0; index < terms.length; index++) {
    checkNodeSelectorTerm(errors, termsPath.at(index), terms[index] ?? {}, true);
  }
}

/** Values of preferred terms are not checked. */
export function checkNodeSelectorTerm(
  errors: ErrorList,
  path: FieldPath,
  term: Unchecked<NodeSelectorTerm>,
  isRequired: boolean,
): void {
  const expressionsPath = path.child('matchExpressions');
  (term.matchExpressions ?? []).forEach((expression, index) => {
    const at = expressionsPath.at(index);
    checkNodeOperator(errors, at, expression);
    checkFormat(errors, at, 'key', expression.key, labelKeyErrors);
    if (isRequired) {
      checkEachFormat(errors, at.child('values'), expression.values, labelValueErrors);
    }
  });
  const fieldsPath = path.child('matchFields');
  (term.matchFields ?? []).forEach((field, index) => {
    checkMatchField(errors, fieldsPath.at(index), field);
  });
}

function checkNodeOperator(
  errors: ErrorList,
  path: FieldPath,
  expression: Unchecked<NodeSelectorRequirement>,
): void {
  const { operator, values = [] } = expression;
  if (operator !== 'Gt' && operator !== 'Lt') checkOperator(errors, path, expression);
  else if (values.length !== 1) {
    const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
    errors.required(path, 'values', detail);
  }
}

function checkMatchField(
  errors: ErrorList,
  path: FieldPath,
  { key = '', operator = '', values = [] }: Unchecked<NodeSelectorRequirement>,
): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1) {
      const detail =
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.required(path, 'values', detail);
    }
  } else errors.invalid(path, 'operator', operator, badOperatorText);
  if (key !== 'metadata.name') {
    errors.invalid(path, 'key', key, 'not a valid field selector key');
    return;
  }
  checkEachFormat(errors, path.child('values'), values, dns1123SubdomainErrors);
}
