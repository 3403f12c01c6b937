/** Equality of any two values; values of different types are unequal, except numbers. */
import { compareBytes } from './compare.ts';
import { CelList, type ListSemantics } from './list.ts';
import { elementsByIdentity } from './list-semantics.ts';
import { CelMap } from './map.ts';
import { CelDuration, CelTimestamp } from './time.ts';
import {
  CelAbstract,
  CelDouble,
  CelOptional,
  CelTypeValue,
  CelUint,
  type CelValue,
} from './value.ts';
import { spendWork } from './work.ts';

function isNumeric(value: CelValue): value is number | bigint | CelDouble | CelUint {
  return (
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    value instanceof CelDouble ||
    value instanceof CelUint
  );
}

function plainNumber(value: number | bigint | CelDouble | CelUint): number | bigint {
  return value instanceof CelDouble || value instanceof CelUint ? value.value : value;
}

/** Order does not count: each element has its equal in the other list. */
function equalByIdentity(a: CelList, b: CelList, semantics: ListSemantics): boolean {
  const others = elementsByIdentity(b, semantics);
  for (const [key, value] of elementsByIdentity(a, semantics)) {
    const other = others.get(key);
    if (other === undefined || !equalValues(value, other)) return false;
  }
  return true;
}

function equalLists(a: CelList, b: CelList): boolean {
  if (a.size !== b.size) return false;
  spendWork(a.size);
  if (a.semantics !== undefined) return equalByIdentity(a, b, a.semantics);
  for (let index = 0; index < a.size; index++) {
    if (!equalValues(a.at(index), b.at(index))) return false;
  }
  return true;
}

function equalMaps(a: CelMap, b: CelMap): boolean {
  if (a.size !== b.size) return false;
  spendWork(a.size);
  return a.keys().every((key) => {
    const right = b.find(key);
    return right !== undefined && equalValues(a.find(key) as CelValue, right);
  });
}

export function equalValues(a: CelValue, b: CelValue): boolean {
  if (a === b) return true;
  if (typeof a === 'string' || typeof a === 'boolean' || a === null) return false;
  if (isNumeric(a)) {
    // Number and bigint compare exactly by value; NaN is equal to nothing.
    // oxlint-disable-next-line eqeqeq
    return isNumeric(b) && plainNumber(a) == plainNumber(b);
  }
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b);
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0;
  if (a instanceof CelTimestamp) {
    return b instanceof CelTimestamp && a.seconds === b.seconds && a.nanos === b.nanos;
  }
  if (a instanceof CelDuration) return b instanceof CelDuration && a.nanos === b.nanos;
  if (a instanceof CelTypeValue) return b instanceof CelTypeValue && a.name === b.name;
  if (a instanceof CelOptional) {
    if (!(b instanceof CelOptional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equalValues(a.value, b.value);
  }
  if (a instanceof CelAbstract) {
    return b instanceof CelAbstract && a.typeName === b.typeName && a.equals(b);
  }
  return false;
}
