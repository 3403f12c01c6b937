import { K3tsError } from './errors.ts';

/** Which family of suffixes a quantity is written with; arithmetic keeps the left operand's. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/**
 * An exact amount: `mantissa * 10^scale`. `big` replaces the mantissa when that is no safe integer.
 * Immutable; write texts with formatQuantity, never by hand.
 */
export interface Quantity {
  readonly mantissa: number;
  readonly scale: number;
  readonly big: bigint | undefined;
  readonly format: QuantityFormat;
}

export const quantityFormatError =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const numericError = 'unable to parse numeric part of quantity';
const suffixError = "unable to parse quantity's suffix";

const decimalScales: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const binaryShifts: ReadonlyMap<string, number> = new Map([
  ['Ki', 10],
  ['Mi', 20],
  ['Gi', 30],
  ['Ti', 40],
  ['Pi', 50],
  ['Ei', 60],
]);
const decimalSuffixes = new Map([...decimalScales].map(([suffix, scale]) => [scale, suffix]));
const binarySuffixes = new Map([...binaryShifts].map(([suffix, shift]) => [shift, suffix]));

const nanoScale = -9;
/** Digits that upstream keeps exactly without a cap. */
const exactDigits = 18;
const largestAmount = 2n ** 63n - 1n;
/** Exponents beyond this are capped at once, so that nobody can ask for a number of a million digits. */
const largestScale = 60;

/** Sign, digits before and after the point, letters of the suffix, exponent. */
const shape = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const plainInteger = /^[0-9]{1,15}$/;

export const zeroQuantity: Quantity = {
  mantissa: 0,
  scale: 0,
  big: undefined,
  format: 'DecimalSI',
};

function quantity(mantissa: number, scale: number, format: QuantityFormat): Quantity {
  return { mantissa, scale, big: undefined, format };
}

function fromBig(value: bigint, scale: number, format: QuantityFormat): Quantity {
  const small = Number(value);
  if (Number.isSafeInteger(small)) return quantity(small, scale, format);
  return { mantissa: 0, scale, big: value, format };
}

function bigOf(of: Quantity): bigint {
  return of.big ?? BigInt(of.mantissa);
}

/** The unscaled value at a scale not above the quantity's own. */
function bigAt(of: Quantity, scale: number): bigint {
  return bigOf(of) * 10n ** BigInt(of.scale - scale);
}

/**
 * Reads a quantity as upstream does: amounts below one nano round up, amounts beyond 2^63-1 are
 * capped. Throws K3tsError InvalidQuantity with upstream's text.
 */
export function parseQuantity(text: string): Quantity {
  if (plainInteger.test(text)) return quantity(Number(text), 0, 'DecimalSI');
  const parts = text === '' ? null : shape.exec(text);
  if (parts === null) throw new K3tsError('InvalidQuantity', quantityFormatError);
  const [, sign, whole = '', fraction = '', suffix = ''] = parts;
  const digits = whole + fraction;
  // leading zeros are cut from `whole`: only a text without any digit before the suffix has none
  if (digits === '' && !/^[+-]?\.?0/.test(text)) {
    throw new K3tsError('InvalidQuantity', numericError);
  }
  const isNegative = sign === '-';
  const shift = binaryShifts.get(suffix);
  if (shift !== undefined) return parseBinary(digits, fraction.length, shift, isNegative);
  const decimalScale = decimalScales.get(suffix);
  const exponent = decimalScale ?? exponentOf(suffix);
  const format = decimalScale === undefined ? 'DecimalExponent' : 'DecimalSI';
  return parseDecimal(digits, exponent - fraction.length, format, isNegative);
}

function exponentOf(suffix: string): number {
  if (/^[eE][-+]?[0-9]+$/.test(suffix)) return Number(suffix.slice(1));
  throw new K3tsError('InvalidQuantity', suffixError);
}

function parseDecimal(
  digits: string,
  scale: number,
  format: QuantityFormat,
  isNegative: boolean,
): Quantity {
  if (digits.length > 1000) throw new K3tsError('InvalidQuantity', numericError);
  const value = Number(digits);
  if (value === 0) return quantity(0, 0, format);
  if (digits.length <= exactDigits && scale >= nanoScale && scale <= largestScale) {
    if (value <= Number.MAX_SAFE_INTEGER)
      return quantity(isNegative ? -value : value, scale, format);
    const exact = BigInt(digits);
    return fromBig(isNegative ? -exact : exact, scale, format);
  }
  return bounded(BigInt(digits), scale, format, isNegative);
}

function parseBinary(
  digits: string,
  fractionDigits: number,
  shift: number,
  isNegative: boolean,
): Quantity {
  if (digits.length > 1000) throw new K3tsError('InvalidQuantity', numericError);
  const value = Number(digits) * 2 ** shift;
  if (fractionDigits === 0 && value <= Number.MAX_SAFE_INTEGER) {
    return quantity(isNegative ? -value : value, 0, 'BinarySI');
  }
  const exact = BigInt(digits === '' ? '0' : digits) << BigInt(shift);
  // An amount below one cannot be written with a binary suffix.
  const isBelowOne = exact < 10n ** BigInt(fractionDigits);
  return bounded(exact, -fractionDigits, isBelowOne ? 'DecimalSI' : 'BinarySI', isNegative);
}

/** Rounds away from zero to nano and caps at the largest amount. */
function bounded(
  value: bigint,
  scale: number,
  format: QuantityFormat,
  isNegative: boolean,
): Quantity {
  let unscaled = value;
  let at = scale;
  if (at > largestScale) {
    unscaled = largestAmount;
    at = 0;
  } else if (at < nanoScale) {
    // Beyond the digits there is nothing left but the rounding itself.
    const dropped = Math.min(nanoScale - at, 1100);
    unscaled = ceilDivide(unscaled, 10n ** BigInt(dropped));
    at = nanoScale;
  }
  const cap = at < 0 ? largestAmount * 10n ** BigInt(-at) : largestAmount;
  if ((at > 0 ? unscaled * 10n ** BigInt(at) : unscaled) > cap) {
    unscaled = largestAmount;
    at = 0;
  }
  return fromBig(isNegative ? -unscaled : unscaled, at, format);
}

/** Division of non-negative numbers that rounds up. */
function ceilDivide(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

/** Negative, zero or positive as `a` is below, equal to or above `b`. */
export function compareQuantity(a: Quantity, b: Quantity): number {
  if (a.big === undefined && b.big === undefined && a.scale === b.scale) {
    return a.mantissa - b.mantissa;
  }
  const scale = Math.min(a.scale, b.scale);
  const left = bigAt(a, scale);
  const right = bigAt(b, scale);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

export function isZeroQuantity(of: Quantity): boolean {
  return of.big === undefined && of.mantissa === 0;
}

/** The sum, in the format of `a` unless that is zero. */
export function addQuantity(a: Quantity, b: Quantity): Quantity {
  const format = isZeroQuantity(a) ? b.format : a.format;
  if (a.big === undefined && b.big === undefined && a.scale === b.scale) {
    const sum = a.mantissa + b.mantissa;
    if (Number.isSafeInteger(sum)) return quantity(sum, a.scale, format);
  }
  const scale = Math.min(a.scale, b.scale);
  return fromBig(bigAt(a, scale) + bigAt(b, scale), scale, format);
}

/** The difference, in the format of `a` unless that is zero; may be negative. */
export function subtractQuantity(a: Quantity, b: Quantity): Quantity {
  return addQuantity(a, negateQuantity(b));
}

export function negateQuantity(of: Quantity): Quantity {
  if (of.big !== undefined) return { ...of, big: -of.big };
  return quantity(of.mantissa === 0 ? 0 : -of.mantissa, of.scale, of.format);
}

/** A whole number as a quantity; `format` BinarySI for bytes. */
export function quantityOf(value: number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return quantity(Math.ceil(value), 0, format);
}

/** A number of thousandths as a quantity, as for CPU time. */
export function quantityOfMilli(value: number): Quantity {
  return quantity(Math.ceil(value), -3, 'DecimalSI');
}

/** Rounded up (away from zero) to a power of ten: -3 keeps thousandths, as resource lists do. */
export function roundUpQuantity(of: Quantity, scale: number): Quantity {
  if (of.scale >= scale) return of;
  const by = 10n ** BigInt(scale - of.scale);
  const value = bigOf(of);
  const rounded = value < 0n ? -ceilDivide(-value, by) : ceilDivide(value, by);
  return fromBig(rounded, scale, of.format);
}

/** The amount in units of 10^scale, rounded up; a double, so exact up to 2^53. */
function scaledValue(of: Quantity, scale: number): number {
  if (of.big === undefined) {
    if (of.scale === scale) return of.mantissa;
    const scaled = of.mantissa * 10 ** (of.scale - scale);
    if (of.scale > scale && Number.isSafeInteger(scaled)) return scaled;
  }
  if (of.scale < scale) return Number(bigOf(roundUpQuantity(of, scale)));
  return Number(bigAt(of, scale));
}

/** The amount as an integer, rounded up as upstream's Value(). */
export function quantityValue(of: Quantity): number {
  return scaledValue(of, 0);
}

/** The amount in thousandths, rounded up as upstream's MilliValue(). */
export function milliValue(of: Quantity): number {
  return scaledValue(of, -3);
}

/** The amount as a double, possibly inexact. */
export function quantityToNumber(of: Quantity): number {
  if (of.big !== undefined) return Number(of.big) * 10 ** of.scale;
  if (of.scale === 0) return of.mantissa;
  return of.scale < 0 ? of.mantissa / 10 ** -of.scale : of.mantissa * 10 ** of.scale;
}

/** Upstream's canonical text: no fraction, the largest suffix of the format that loses nothing. */
export function formatQuantity(of: Quantity): string {
  if (isZeroQuantity(of)) return '0';
  if (of.format === 'BinarySI') {
    const binary = formatBinary(of);
    if (binary !== undefined) return binary;
  }
  return formatDecimal(of);
}

/** Undefined when the amount is small or no integer, which are shown in decimal. */
function formatBinary(of: Quantity): string | undefined {
  const whole = wholeValue(of);
  if (whole === undefined) return undefined;
  let value = whole;
  if (value > -1024 && value < 1024) return undefined;
  let shift = 0;
  if (typeof value === 'number') {
    for (; value % 1024 === 0 && shift < 60; shift += 10) value /= 1024;
  } else {
    for (; value % 1024n === 0n && shift < 60; shift += 10) value /= 1024n;
  }
  return `${value}${binarySuffixes.get(shift) ?? ''}`;
}

function wholeValue(of: Quantity): number | bigint | undefined {
  if (of.scale === 0) return of.big ?? of.mantissa;
  if (of.scale > 0) return bigAt(of, 0);
  const by = 10n ** BigInt(-of.scale);
  const value = bigOf(of);
  return value % by === 0n ? value / by : undefined;
}

function formatDecimal(of: Quantity): string {
  let digits = (of.big ?? of.mantissa).toString();
  let scale = of.scale;
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end--;
  scale += digits.length - end;
  digits = digits.slice(0, end);
  const excess = ((scale % 3) + 3) % 3;
  digits += '0'.repeat(excess);
  scale -= excess;
  if (scale === 0) return digits;
  const suffix = of.format === 'DecimalExponent' ? undefined : decimalSuffixes.get(scale);
  return digits + (suffix ?? `e${scale}`);
}

/** The canonical text of a quantity text; throws as parseQuantity. */
export function canonicalQuantity(text: string): string {
  return formatQuantity(parseQuantity(text));
}
