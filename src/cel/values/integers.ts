/** Arithmetic of int64 and uint64 with cel-go's errors at the ends of the range. */
import { CelRuntimeError } from '../errors.ts';
import { CelUint } from './value.ts';

export type Int = number | bigint;

export const largestInt = 2n ** 63n - 1n;
export const smallestInt = -(2n ** 63n);
export const largestUint = 2n ** 64n - 1n;

/** The int for a value known to be within the range. */
export function normalInt(value: bigint): Int {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

export function intOf(value: bigint): Int {
  if (value > largestInt || value < smallestInt) throw new CelRuntimeError('integer overflow');
  return normalInt(value);
}

export function uintOf(value: bigint): CelUint {
  if (value > largestUint || value < 0n) throw new CelRuntimeError('unsigned integer overflow');
  return new CelUint(value);
}

export function addInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return intOf(BigInt(a) + BigInt(b));
}

export function subtractInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return intOf(BigInt(a) - BigInt(b));
}

export function multiplyInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return intOf(BigInt(a) * BigInt(b));
}

export function divideInt(a: Int, b: Int): Int {
  if (b === 0 || b === 0n) throw new CelRuntimeError('division by zero');
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0;
  return intOf(BigInt(a) / BigInt(b));
}

export function remainderInt(a: Int, b: Int): Int {
  if (b === 0 || b === 0n) throw new CelRuntimeError('modulus by zero');
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0;
  const isOverflow = BigInt(a) === smallestInt && BigInt(b) === -1n;
  if (isOverflow) throw new CelRuntimeError('integer overflow');
  return intOf(BigInt(a) % BigInt(b));
}

export function negateInt(a: Int): Int {
  return typeof a === 'number' ? 0 - a : intOf(-a);
}

export function divideUint(a: bigint, b: bigint): CelUint {
  if (b === 0n) throw new CelRuntimeError('division by zero');
  return new CelUint(a / b);
}

export function remainderUint(a: bigint, b: bigint): CelUint {
  if (b === 0n) throw new CelRuntimeError('modulus by zero');
  return new CelUint(a % b);
}
