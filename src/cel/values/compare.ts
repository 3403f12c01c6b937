/** Order of values: numbers across types, strings by code point, the rest within their type. */
import { CelRuntimeError } from '../errors.ts';
import { CelDuration, CelTimestamp } from './time.ts';
import { CelDouble, CelUint, type CelValue } from './value.ts';

function sign(isLess: boolean, isEqual: boolean): number {
  if (isEqual) return 0;
  return isLess ? -1 : 1;
}

/** By code point: UTF-16 order differs where surrogates meet U+E000 and above. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    const leftHigh = left >= 0xd800 && left <= 0xdfff;
    const rightHigh = right >= 0xd800 && right <= 0xdfff;
    if (leftHigh !== rightHigh) return leftHigh ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return a.length - b.length < 0 ? -1 : 1;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

function numberOf(value: CelValue): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (value instanceof CelDouble || value instanceof CelUint) return value.value;
  return undefined;
}

/** NaN when one side is NaN; undefined when the two have no order. */
export function compareValues(a: CelValue, b: CelValue): number | undefined {
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : undefined;
  const left = numberOf(a);
  if (left !== undefined) {
    const right = numberOf(b);
    if (right === undefined) return undefined;
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.NaN;
    // Mixed comparisons of number and bigint are exact.
    // oxlint-disable-next-line eqeqeq
    return sign(left < right, left == right);
  }
  if (typeof a === 'boolean') {
    return typeof b === 'boolean' ? sign(!a && b, a === b) : undefined;
  }
  if (a instanceof CelTimestamp) {
    if (!(b instanceof CelTimestamp)) return undefined;
    if (a.seconds !== b.seconds) return a.seconds < b.seconds ? -1 : 1;
    return sign(a.nanos < b.nanos, a.nanos === b.nanos);
  }
  if (a instanceof CelDuration) {
    return b instanceof CelDuration ? sign(a.nanos < b.nanos, a.nanos === b.nanos) : undefined;
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? compareBytes(a, b) : undefined;
  return undefined;
}

/** As compareValues; what has no order is an error. */
export function orderOf(a: CelValue, b: CelValue): number {
  const order = compareValues(a, b);
  if (order === undefined) throw new CelRuntimeError('no such overload');
  if (Number.isNaN(order)) throw new CelRuntimeError('NaN values cannot be ordered');
  return order;
}
