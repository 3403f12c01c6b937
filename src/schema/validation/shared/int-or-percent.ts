import { notNegativeText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';

export type IntOrString = number | string;

const percent = /^[0-9]+%$/;
const percentText =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

export function checkIntOrPercent(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  value: IntOrString | undefined,
): void {
  if (typeof value === 'string') {
    if (!percent.test(value)) errors.invalid(path, field, value, percentText);
  } else if (value !== undefined && value < 0) {
    errors.invalid(path, field, value, notNegativeText);
  }
}

export function checkNotOver100Percent(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  value: IntOrString | undefined,
): void {
  if (typeof value !== 'string' || !percent.test(value)) return;
  if (Number(value.slice(0, -1)) > 100) {
    errors.invalid(path, field, value, 'must not be greater than 100%');
  }
}

/** Whether the amount is none, as a number or as a percentage. */
export function isZero(value: IntOrString | undefined): boolean {
  if (typeof value !== 'string') return (value ?? 0) === 0;
  return percent.test(value) && Number(value.slice(0, -1)) === 0;
}
