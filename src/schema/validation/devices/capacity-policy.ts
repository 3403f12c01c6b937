import {
  addQuantity,
  compareQuantity,
  quantityToNumber,
  subtractQuantity,
} from '#base/quantity.ts';
import type { CapacityRequestPolicy } from '../../generated/types.ts';
import { checkMaxItems } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { compareQuantities, quantityOfText } from '../shared/quantities.ts';
import type { Unchecked } from '../unchecked.ts';

type Policy = Unchecked<CapacityRequestPolicy>;
type Range = Unchecked<NonNullable<CapacityRequestPolicy['validRange']>>;

const maxValues = 10;

/** How much of a shared device's capacity a claim may ask for. */
export function checkCapacityPolicy(
  errors: ErrorList,
  path: FieldPath,
  policy: Policy,
  capacity = '0',
): void {
  const { validValues = [], validRange } = policy;
  if (validValues.length > 0 && validRange !== undefined) {
    const detail =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    errors.forbidden(path, '', detail);
  } else if (validValues.length > 0) {
    if (policy.default === undefined) {
      errors.required(path, 'default', 'required when validValues is defined');
    }
    checkValues(errors, path, validValues, policy.default, capacity);
  } else if (validRange !== undefined) {
    if (policy.default === undefined) {
      errors.required(path, 'default', 'required when validRange is defined');
    }
    checkRange(errors, path.child('validRange'), validRange, policy.default, capacity);
  }
}

function checkValues(
  errors: ErrorList,
  path: FieldPath,
  values: readonly string[],
  wanted: string | undefined,
  capacity: string,
): void {
  checkMaxItems(errors, path, 'validValues', values, maxValues);
  const at = path.child('validValues');
  values.forEach((value, index) => {
    const before = values[index - 1];
    if (before !== undefined && compareQuantities(before, value) >= 0) {
      errors.invalid(at, index, value, 'values must be sorted in ascending order');
    }
    if (compareQuantities(value, capacity) > 0) {
      errors.invalid(at, index, value, `option is larger than capacity value: ${capacity}`);
    }
  });
  if (wanted === undefined) return;
  if (values.some((value) => compareQuantities(value, wanted) === 0)) return;
  const detail = 'default value is not valid according to the requestPolicy';
  errors.invalid(at, '', wanted, detail);
}

function checkRange(
  errors: ErrorList,
  path: FieldPath,
  { min, max, step }: Range,
  wanted: string | undefined,
  capacity: string,
): void {
  if (min === undefined) {
    errors.required(path, 'min', 'required when validRange is defined');
    return;
  }
  if (compareQuantities(min, capacity) > 0) {
    errors.invalid(path, 'min', min, `min is larger than capacity value: ${capacity}`);
  }
  if (wanted !== undefined && compareQuantities(wanted, min) < 0) {
    errors.invalid(path, 'min', wanted, `default is less than min: ${min}`);
  }
  if (max !== undefined) {
    if (compareQuantities(min, max) > 0) {
      errors.invalid(path, 'max', min, `min is larger than max: ${max}`);
    }
    if (compareQuantities(max, capacity) > 0) {
      errors.invalid(path, 'max', max, `max is larger than capacity value: ${capacity}`);
    }
    if (wanted !== undefined && compareQuantities(wanted, max) > 0) {
      errors.invalid(path, 'max', wanted, `default is more than max: ${max}`);
    }
  }
  if (step !== undefined) checkStep(errors, path, step, [wanted, max], min, capacity);
}

function checkStep(
  errors: ErrorList,
  path: FieldPath,
  step: string,
  values: ReadonlyArray<string | undefined>,
  min: string,
  capacity: string,
): void {
  const start = quantityOfText(min);
  const size = quantityOfText(step);
  if (compareQuantity(addQuantity(start, size), quantityOfText(capacity)) > 0) {
    const detail = `one step ${step} is larger than capacity value: ${capacity}`;
    errors.invalid(path, 'step', step, detail);
  }
  const width = quantityToNumber(size);
  for (const value of values) {
    if (value === undefined || width <= 0) continue;
    const offset = quantityToNumber(subtractQuantity(quantityOfText(value), start));
    if (offset % width === 0) continue;
    const detail = `value is not a multiple of a given step (${step}) from (${min})`;
    errors.invalid(path, 'step', value, detail);
  }
}
