import type { Quantity } from '#base/quantity.ts';
import { compareQuantity, parseQuantity, quantityToNumber, zeroQuantity } from '#base/quantity.ts';
import { notNegativeText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import type { StringMap } from '../unchecked.ts';
import type { ResourceNameCheck } from './resource-names.ts';
import { isWholeNumberResource } from './resource-names.ts';

/** Canonical quantities carry one of these suffixes when they are no whole number. */
const isFraction = /[mun]$/;

/** A quantity of a decoded object; 0 for what cannot be one. */
export function quantityOfText(text: string | undefined): Quantity {
  if (text === undefined) return zeroQuantity;
  try {
    return parseQuantity(text);
  } catch {
    return zeroQuantity;
  }
}

export function compareQuantities(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  return compareQuantity(quantityOfText(a), quantityOfText(b));
}

export function isNegative(text: string): boolean {
  return text.startsWith('-');
}

export function isNotPositive(text: string): boolean {
  return isNegative(text) || quantityToNumber(quantityOfText(text)) === 0;
}

export function checkResourceAmount(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  name: string,
  amount: string,
): void {
  if (isNegative(amount)) errors.invalid(path, field, amount, notNegativeText);
  if (isFraction.test(amount) && isWholeNumberResource(name)) {
    errors.invalid(path, field, amount, 'must be an integer');
  }
}

/** Names and amounts of a resource list. */
export function checkResourceList(
  errors: ErrorList,
  path: FieldPath,
  list: StringMap | undefined,
  checkName: ResourceNameCheck,
): void {
  for (const name in list) {
    const at = path.key(name);
    checkName(errors, at, '', name);
    checkResourceAmount(errors, at, '', name, list[name] ?? '0');
  }
}

/** Huge pages come in multiples of their size. */
export function checkHugePagesAmount(
  errors: ErrorList,
  path: FieldPath,
  name: string,
  amount: string,
): void {
  const size = quantityToNumber(quantityOfText(name.slice('hugepages-'.length)));
  const value = quantityToNumber(quantityOfText(amount));
  if (size > 0 && value % size === 0) return;
  errors.invalid(path, '', amount, `${amount} is not positive integer multiple of ${name}`);
}
