/** The arithmetic and relational operators over values of any type. */
import { CelRuntimeError } from '../errors.ts';
import { compareValues } from './compare.ts';
import { equalValues } from './equal.ts';
import {
  addInt,
  divideInt,
  divideUint,
  type Int,
  multiplyInt,
  negateInt,
  remainderInt,
  remainderUint,
  subtractInt,
  uintOf,
} from './integers.ts';
import { CelList, JoinedList } from './list.ts';
import { joinSemantic } from './list-semantics.ts';
import { CelMap } from './map.ts';
import { CelDuration, CelTimestamp, checkedDuration } from './time.ts';
import { CelDouble, CelUint, type CelValue } from './value.ts';
import { spendWork } from './work.ts';

export function noSuchOverload(): CelRuntimeError {
  return new CelRuntimeError('no such overload');
}

function isInt(value: CelValue): value is Int {
  return typeof value === 'number' || typeof value === 'bigint';
}

function addLists(a: CelList, b: CelList): CelList {
  if (a.semantics !== undefined) return joinSemantic(a, b, a.semantics);
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  return new JoinedList(a, b);
}

export function add(a: CelValue, b: CelValue): CelValue {
  if (isInt(a) && isInt(b)) return addInt(a, b);
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (a instanceof CelList && b instanceof CelList) return addLists(a, b);
  if (a instanceof CelDouble && b instanceof CelDouble) return new CelDouble(a.value + b.value);
  if (a instanceof CelUint && b instanceof CelUint) return uintOf(a.value + b.value);
  if (a instanceof CelDuration) {
    if (b instanceof CelDuration) return checkedDuration(a.nanos + b.nanos);
    if (b instanceof CelTimestamp) return CelTimestamp.fromNanos(b.totalNanos + a.nanos);
  }
  if (a instanceof CelTimestamp && b instanceof CelDuration) {
    return CelTimestamp.fromNanos(a.totalNanos + b.nanos);
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return new Uint8Array(Buffer.concat([a, b]));
  }
  throw noSuchOverload();
}

export function subtract(a: CelValue, b: CelValue): CelValue {
  if (isInt(a) && isInt(b)) return subtractInt(a, b);
  if (a instanceof CelDouble && b instanceof CelDouble) return new CelDouble(a.value - b.value);
  if (a instanceof CelUint && b instanceof CelUint) return uintOf(a.value - b.value);
  if (a instanceof CelDuration && b instanceof CelDuration) {
    return checkedDuration(a.nanos - b.nanos);
  }
  if (a instanceof CelTimestamp) {
    if (b instanceof CelDuration) return CelTimestamp.fromNanos(a.totalNanos - b.nanos);
    if (b instanceof CelTimestamp) return checkedDuration(a.totalNanos - b.totalNanos);
  }
  throw noSuchOverload();
}

export function multiply(a: CelValue, b: CelValue): CelValue {
  if (isInt(a) && isInt(b)) return multiplyInt(a, b);
  if (a instanceof CelDouble && b instanceof CelDouble) return new CelDouble(a.value * b.value);
  if (a instanceof CelUint && b instanceof CelUint) return uintOf(a.value * b.value);
  throw noSuchOverload();
}

export function divide(a: CelValue, b: CelValue): CelValue {
  if (isInt(a) && isInt(b)) return divideInt(a, b);
  if (a instanceof CelDouble && b instanceof CelDouble) return new CelDouble(a.value / b.value);
  if (a instanceof CelUint && b instanceof CelUint) return divideUint(a.value, b.value);
  throw noSuchOverload();
}

export function remainder(a: CelValue, b: CelValue): CelValue {
  if (isInt(a) && isInt(b)) return remainderInt(a, b);
  if (a instanceof CelUint && b instanceof CelUint) return remainderUint(a.value, b.value);
  throw noSuchOverload();
}

export function negate(a: CelValue): CelValue {
  if (isInt(a)) return negateInt(a);
  if (a instanceof CelDouble) return new CelDouble(-a.value);
  throw noSuchOverload();
}

function order(a: CelValue, b: CelValue): number {
  const result = compareValues(a, b);
  if (result === undefined) throw noSuchOverload();
  return result;
}

// Comparisons with NaN are false whichever way they are asked.
export function isLess(a: CelValue, b: CelValue): boolean {
  return typeof a === 'number' && typeof b === 'number' ? a < b : order(a, b) < 0;
}

export function isLessOrEqual(a: CelValue, b: CelValue): boolean {
  return typeof a === 'number' && typeof b === 'number' ? a <= b : order(a, b) <= 0;
}

export function isGreater(a: CelValue, b: CelValue): boolean {
  return typeof a === 'number' && typeof b === 'number' ? a > b : order(a, b) > 0;
}

export function isGreaterOrEqual(a: CelValue, b: CelValue): boolean {
  return typeof a === 'number' && typeof b === 'number' ? a >= b : order(a, b) >= 0;
}

export function isIn(value: CelValue, container: CelValue): boolean {
  if (container instanceof CelMap) return container.has(value);
  if (!(container instanceof CelList)) throw noSuchOverload();
  spendWork(container.size);
  for (let at = 0; at < container.size; at++) {
    if (equalValues(container.at(at), value)) return true;
  }
  return false;
}

export function not(a: CelValue): boolean {
  if (typeof a !== 'boolean') throw noSuchOverload();
  return !a;
}
