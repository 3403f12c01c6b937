/** Kubernetes' functions on lists, and the lists extension that 1.34 added. */
import {
  globalOverload,
  type Library,
  memberOverload,
  type Overload,
} from '../check/declaration.ts';
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  paramType,
  stringType,
  timestampType,
  type Type,
  uintType,
} from '../check/type.ts';
import { CelBudgetError, CelRuntimeError } from '../errors.ts';
import { perCallLimit } from '../limits.ts';
import { orderOf } from '../values/compare.ts';
import { equalValues } from '../values/equal.ts';
import { keyText } from '../values/map.ts';
import { CelList } from '../values/list.ts';
import { add } from '../values/operators.ts';
import { CelDuration } from '../values/time.ts';
import { typeNameOf } from '../values/type-name.ts';
import { CelDouble, CelUint, type CelValue } from '../values/value.ts';

const a = paramType('A');
const listA = listOf(a);

const summable: readonly (readonly [string, Type, CelValue])[] = [
  ['int', intType, 0],
  ['uint', uintType, new CelUint(0n)],
  ['double', doubleType, new CelDouble(0)],
  ['duration', durationType, new CelDuration(0n)],
];

const comparable: readonly (readonly [string, Type])[] = [
  ['int', intType],
  ['uint', uintType],
  ['double', doubleType],
  ['bool', boolType],
  ['duration', durationType],
  ['timestamp', timestampType],
  ['string', stringType],
  ['bytes', bytesType],
];

function isSorted(list: CelList): boolean {
  for (let at = 1; at < list.size; at++) {
    if (orderOf(list.at(at - 1), list.at(at)) > 0) return false;
  }
  return true;
}

function extreme(name: 'min' | 'max'): (list: CelList) => CelValue {
  const wanted = name === 'min' ? -1 : 1;
  return (list) => {
    if (list.size === 0) throw new CelRuntimeError(`${name} called on empty list`);
    let best = list.at(0);
    for (let at = 1; at < list.size; at++) {
      const item = list.at(at);
      if (orderOf(item, best) * wanted > 0) best = item;
    }
    return best;
  };
}

function indexOf(list: CelList, item: CelValue): number {
  for (let at = 0; at < list.size; at++) if (equalValues(list.at(at), item)) return at;
  return -1;
}

function lastIndexOf(list: CelList, item: CelValue): number {
  for (let at = list.size - 1; at >= 0; at--) if (equalValues(list.at(at), item)) return at;
  return -1;
}

function onComparable(
  id: (name: string) => string,
  result: (type: Type) => Type,
  call: (list: CelList) => CelValue,
): Overload[] {
  return comparable.map(([name, type]) =>
    memberOverload(id(name), [listOf(type)], result(type), call),
  );
}

function slice(list: CelList, start: number, end: number): CelList {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0 || end < 0) {
    throw new CelRuntimeError(`${call}, negative indexes not supported`);
  }
  if (start > end) {
    throw new CelRuntimeError(`${call}, start index must be less than or equal to end index`);
  }
  if (list.size < end) throw new CelRuntimeError(`${call}, list is length ${list.size}`);
  const part: CelValue[] = [];
  for (let at = start; at < end; at++) part.push(list.at(at));
  return new CelList(part);
}

function flatten(list: CelList, depth = 1): CelList {
  if (depth < 0) throw new CelRuntimeError('level must be non-negative');
  const flat = list.values().flatMap((item) => {
    if (!(item instanceof CelList) || depth === 0) return [item];
    return flatten(item, depth - 1).values();
  });
  return new CelList(flat);
}

function distinct(list: CelList): CelList {
  const texts = new Set<string>();
  const others: CelValue[] = [];
  const unique = list.values().filter((item) => {
    const text = keyText(item);
    if (text !== undefined) {
      if (texts.has(text)) return false;
      texts.add(text);
      return true;
    }
    if (others.some((other) => equalValues(other, item))) return false;
    others.push(item);
    return true;
  });
  return new CelList(unique);
}

function sortByKeys(list: CelList, keys: CelList): CelList {
  if (list.size !== keys.size) {
    throw new CelRuntimeError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.size} and ${keys.size} elements respectively`,
    );
  }
  if (list.size === 0) return list;
  const values = keys.values();
  const typeName = typeNameOf(values[0] as CelValue);
  if (values.some((value) => typeNameOf(value) !== typeName)) {
    throw new CelRuntimeError('list elements must have the same type');
  }
  const indexes = values.map((_value, index) => index);
  indexes.sort((x, y) => orderOf(values[x] as CelValue, values[y] as CelValue));
  return new CelList(indexes.map((index) => list.at(index)));
}

/** Largest list that lists.range makes. */
const rangeLimit = 10_000_000;

function range(size: number): CelList {
  if (size < 0) {
    throw new CelRuntimeError(`lists.range: size must be non-negative, got ${size}`);
  }
  if (size > rangeLimit) {
    throw new CelRuntimeError(`lists.range: size ${size} exceeds maximum allowed (${rangeLimit})`);
  }
  // Longer ones cost more than an evaluation may: not worth making.
  if (size > perCallLimit) throw new CelBudgetError();
  return new CelList(Array.from({ length: size }, (_value, index) => index));
}

export const listLibrary: Library = {
  isSorted: onComparable(
    (name) => `list_${name}_is_sorted_bool`,
    () => boolType,
    isSorted,
  ),
  sum: summable.map(([name, type, zero]) =>
    memberOverload(`list_${name}_sum_${name}`, [listOf(type)], type, (list: CelList) =>
      list.values().reduce(add, zero),
    ),
  ),
  min: onComparable(
    (name) => `list_${name}_min_${name}`,
    (type) => type,
    extreme('min'),
  ),
  max: onComparable(
    (name) => `list_${name}_max_${name}`,
    (type) => type,
    extreme('max'),
  ),
  indexOf: [memberOverload('list_a_index_of_int', [listA, a], intType, indexOf)],
  lastIndexOf: [memberOverload('list_a_last_index_of_int', [listA, a], intType, lastIndexOf)],
};

export const listExtension: Library = {
  slice: [memberOverload('list_slice', [listA, intType, intType], listA, slice)],
  flatten: [
    memberOverload('list_flatten', [listOf(listA)], listA, flatten),
    memberOverload('list_flatten_int', [listOf(dynType), intType], listOf(dynType), flatten),
  ],
  sort: onComparable(
    (name) => `list_${name}_sort`,
    (type) => listOf(type),
    (list) => sortByKeys(list, list),
  ),
  '@sortByAssociatedKeys': comparable.map(([name, type]) =>
    memberOverload(`list_${name}_sortByAssociatedKeys`, [listA, listOf(type)], listA, sortByKeys),
  ),
  'lists.range': [globalOverload('lists_range', [intType], listOf(intType), range)],
  reverse: [
    memberOverload(
      'list_reverse',
      [listA],
      listA,
      (list: CelList) => new CelList([...list.values()].reverse()),
    ),
  ],
  distinct: [memberOverload('list_distinct', [listA], listA, distinct)],
};
