import { checkOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { isSchema } from './json-schema.ts';
import type { Schema } from './json-schema.ts';

const reasons: readonly string[] = [
  'FieldValueDuplicate',
  'FieldValueForbidden',
  'FieldValueInvalid',
  'FieldValueRequired',
];

/** The texts of x-kubernetes-validations at one node; expressions are compiled elsewhere. */
export function checkValidationRules(errors: ErrorList, path: FieldPath, schema: Schema): void {
  const rules = schema['x-kubernetes-validations'];
  if (!Array.isArray(rules)) return;
  rules.forEach((rule: unknown, index) => {
    if (isSchema(rule))
      checkRule(errors, path.child('x-kubernetes-validations').at(index), rule, schema);
  });
}

function textOf(rule: Schema, field: string): string {
  const value = rule[field];
  return typeof value === 'string' ? value : '';
}

function checkRule(errors: ErrorList, path: FieldPath, rule: Schema, schema: Schema): void {
  const text = textOf(rule, 'rule').trim();
  const message = textOf(rule, 'message');
  const expression = textOf(rule, 'messageExpression');
  const reason = rule['reason'];
  const fieldPath = textOf(rule, 'fieldPath');
  if (text === '') errors.required(path, 'rule', 'rule is not specified');
  if (message !== '' && message.trim() === '') {
    errors.invalid(path, 'message', message, 'must be non-empty if specified');
  } else if (/[\r\n]/.test(message)) {
    errors.invalid(path, 'message', message, 'must not contain line breaks');
  } else if (/[\r\n]/.test(text) && message.trim() === '') {
    const detail = 'message must be specified if rule contains line breaks';
    errors.required(path, 'message', detail);
  }
  if (expression !== '' && expression.trim() === '') {
    errors.required(path, 'messageExpression', 'messageExpression must be non-empty if specified');
  }
  if (typeof reason === 'string') checkOneOf(errors, path, 'reason', reason, reasons);
  if (fieldPath === '') return;
  const isBlank = fieldPath.trim() === '';
  if (isBlank) errors.invalid(path, 'fieldPath', fieldPath, 'must be non-empty if specified');
  else if (/[\r\n]/.test(fieldPath)) {
    errors.invalid(path, 'fieldPath', fieldPath, 'must not contain line breaks');
  } else if (!leadsSomewhere(fieldPath, schema)) {
    errors.invalid(path, 'fieldPath', fieldPath, 'must be a valid path');
  }
}

const step = /^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\])/;

/** Whether `.a.b['c']` names a property, or a value of a map, of the schema. */
function leadsSomewhere(text: string, schema: Schema): boolean {
  let rest = text;
  let at: unknown = schema;
  while (rest !== '') {
    const match = step.exec(rest);
    if (match === null || !isSchema(at)) return false;
    const name = match[1] ?? match[2] ?? match[3] ?? '';
    const properties = at['properties'];
    if (isSchema(properties) && Object.hasOwn(properties, name)) at = properties[name];
    else if (isSchema(at['additionalProperties'])) at = at['additionalProperties'];
    else return false;
    rest = rest.slice(match[0].length);
  }
  return true;
}
