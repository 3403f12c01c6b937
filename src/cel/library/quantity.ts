/** Kubernetes quantities. */
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantity,
} from '#base/quantity.ts';
import { messageOf } from '#base/errors.ts';
import { globalOverload, type Library, memberOverload } from '../check/declaration.ts';
import { boolType, doubleType, intType, stringType, structType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { type Int, largestInt, normalInt, smallestInt } from '../values/integers.ts';
import { CelAbstract, CelDouble } from '../values/value.ts';

const quantityType = structType('kubernetes.Quantity');

export class QuantityValue extends CelAbstract {
  readonly typeName = 'kubernetes.Quantity';
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: CelAbstract): boolean {
    return compareQuantity(this.quantity, (other as QuantityValue).quantity) === 0;
  }

  toJson(): string {
    return formatQuantity(this.quantity);
  }
}

/** An amount needs a digit, whatever its suffix. */
function hasNumber(text: string): boolean {
  return /\d/.test(text);
}

function parse(text: string): QuantityValue {
  if (text !== '' && !hasNumber(text)) {
    throw new CelRuntimeError('unable to parse numeric part of quantity');
  }
  try {
    return new QuantityValue(parseQuantity(text));
  } catch (error) {
    throw new CelRuntimeError(messageOf(error), { cause: error });
  }
}

function isQuantity(text: string): boolean {
  if (!hasNumber(text)) return false;
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
}

/** Upstream keeps amounts of more digits as decimals, which it never takes for integers. */
const largestMantissa = 10n ** 18n;

/** The amount as an int64, if it is one. */
function integerOf({ quantity }: QuantityValue): Int | undefined {
  const mantissa = quantity.big ?? BigInt(quantity.mantissa);
  if (mantissa >= largestMantissa || mantissa <= -largestMantissa) return undefined;
  const power = 10n ** BigInt(Math.abs(quantity.scale));
  if (quantity.scale < 0 && mantissa % power !== 0n) return undefined;
  const value = quantity.scale < 0 ? mantissa / power : mantissa * power;
  return value > largestInt || value < smallestInt ? undefined : normalInt(value);
}

function asInteger(value: QuantityValue): Int {
  const integer = integerOf(value);
  if (integer === undefined) throw new CelRuntimeError('cannot convert value to integer');
  return integer;
}

function approximate({ quantity }: QuantityValue): CelDouble {
  return new CelDouble(Number(`${quantity.big ?? quantity.mantissa}e${quantity.scale}`));
}

function ofInt(value: Int): Quantity {
  return parseQuantity(String(value));
}

function sign({ quantity }: QuantityValue): number {
  return Math.sign(Number(quantity.big ?? quantity.mantissa));
}

const pair = [quantityType, quantityType];
const withInt = [quantityType, intType];

export const quantityLibrary: Library = {
  quantity: [globalOverload('string_to_quantity', [stringType], quantityType, parse)],
  isQuantity: [globalOverload('is_quantity_string', [stringType], boolType, isQuantity)],
  sign: [
    globalOverload('quantity_sign', [quantityType], intType, sign),
    memberOverload('quantity_sign_member', [quantityType], intType, sign),
  ],
  isGreaterThan: [
    memberOverload(
      'quantity_is_greater_than',
      pair,
      boolType,
      (a: QuantityValue, b: QuantityValue) => compareQuantity(a.quantity, b.quantity) > 0,
    ),
  ],
  isLessThan: [
    memberOverload(
      'quantity_is_less_than',
      pair,
      boolType,
      (a: QuantityValue, b: QuantityValue) => compareQuantity(a.quantity, b.quantity) < 0,
    ),
  ],
  compareTo: [
    memberOverload('quantity_compare_to', pair, intType, (a: QuantityValue, b: QuantityValue) =>
      Math.sign(compareQuantity(a.quantity, b.quantity)),
    ),
  ],
  asApproximateFloat: [
    memberOverload('quantity_get_float', [quantityType], doubleType, approximate),
  ],
  asInteger: [memberOverload('quantity_get_int', [quantityType], intType, asInteger)],
  isInteger: [
    memberOverload(
      'quantity_is_integer',
      [quantityType],
      boolType,
      (value: QuantityValue) => integerOf(value) !== undefined,
    ),
  ],
  add: [
    memberOverload(
      'quantity_add',
      pair,
      quantityType,
      (a: QuantityValue, b: QuantityValue) =>
        new QuantityValue(addQuantity(a.quantity, b.quantity)),
    ),
    memberOverload(
      'quantity_add_int',
      withInt,
      quantityType,
      (a: QuantityValue, b: Int) => new QuantityValue(addQuantity(a.quantity, ofInt(b))),
    ),
  ],
  sub: [
    memberOverload(
      'quantity_sub',
      pair,
      quantityType,
      (a: QuantityValue, b: QuantityValue) =>
        new QuantityValue(subtractQuantity(a.quantity, b.quantity)),
    ),
    memberOverload(
      'quantity_sub_int',
      withInt,
      quantityType,
      (a: QuantityValue, b: Int) => new QuantityValue(subtractQuantity(a.quantity, ofInt(b))),
    ),
  ],
};
