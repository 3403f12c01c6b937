/** Optional values; `or` and `orValue` are evaluated without their second argument if they can. */
import { globalOverload, type Library, memberOverload } from '../check/declaration.ts';
import { boolType, listOf, optionalOf, paramType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { CelList } from '../values/list.ts';
import { CelMap } from '../values/map.ts';
import { CelDuration, CelTimestamp } from '../values/time.ts';
import { CelDouble, CelOptional, CelUint, type CelValue } from '../values/value.ts';

const t = paramType('T');
const optional = optionalOf(t);

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === 0 || value === '') return true;
  if (value instanceof CelDouble) return value.value === 0;
  if (value instanceof CelUint) return value.value === 0n;
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelDuration) return value.nanos === 0n;
  if (value instanceof CelTimestamp) return value.seconds === -62_135_596_800 && value.nanos === 0;
  return value instanceof CelOptional && value.value === undefined;
}

function valueOf({ value }: CelOptional): CelValue {
  if (value === undefined) throw new CelRuntimeError('optional.none() dereference');
  return value;
}

export const optionalLibrary: Library = {
  'optional.of': [
    globalOverload('optional_of', [t], optional, (value: CelValue) => new CelOptional(value)),
  ],
  'optional.ofNonZeroValue': [
    globalOverload('optional_ofNonZeroValue', [t], optional, (value: CelValue) =>
      isZero(value) ? CelOptional.none : new CelOptional(value),
    ),
  ],
  'optional.none': [globalOverload('optional_none', [], optional, () => CelOptional.none)],
  value: [memberOverload('optional_value', [optional], t, valueOf)],
  hasValue: [
    memberOverload(
      'optional_hasValue',
      [optional],
      boolType,
      ({ value }: CelOptional) => value !== undefined,
    ),
  ],
  or: [
    memberOverload('optional_or_optional', [optional, optional], optional, (a: CelOptional, b) =>
      a.value === undefined ? b : a,
    ),
  ],
  orValue: [
    memberOverload('optional_orValue_value', [optional, t], t, (a: CelOptional, b: CelValue) =>
      a.value === undefined ? b : a.value,
    ),
  ],
  'optional.unwrap': [
    globalOverload('optional_unwrap', [listOf(optional)], listOf(t), (list: CelList) =>
      unwrapAll(list),
    ),
  ],
  unwrapOpt: [
    memberOverload('optional_unwrapOpt', [listOf(optional)], listOf(t), (list: CelList) =>
      unwrapAll(list),
    ),
  ],
  first: [
    memberOverload('list_first', [listOf(t)], optional, (list: CelList) =>
      list.size === 0 ? CelOptional.none : new CelOptional(list.at(0)),
    ),
  ],
  last: [
    memberOverload('list_last', [listOf(t)], optional, (list: CelList) =>
      list.size === 0 ? CelOptional.none : new CelOptional(list.at(list.size - 1)),
    ),
  ],
};

function unwrapAll(list: CelList): CelList {
  const present = list
    .values()
    .flatMap((item) =>
      item instanceof CelOptional && item.value !== undefined ? [item.value] : [],
    );
  return new CelList(present);
}
