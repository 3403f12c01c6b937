/** Declarations of the operators; `&&`, `||` and `?:` are evaluated without them. */
import { globalOverload, type Library, type Overload } from '../check/declaration.ts';
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  intType,
  listOf,
  mapOf,
  optionalOf,
  paramType,
  stringType,
  timestampType,
  type Type,
  uintType,
} from '../check/type.ts';
import { equalValues } from '../values/equal.ts';
import {
  add,
  divide,
  isGreater,
  isGreaterOrEqual,
  isIn,
  isLess,
  isLessOrEqual,
  multiply,
  negate,
  noSuchOverload,
  not,
  remainder,
  subtract,
} from '../values/operators.ts';
import { element, optionalElement } from '../values/select.ts';
import type { CelValue } from '../values/value.ts';

const a = paramType('A');
const b = paramType('B');
const listA = listOf(a);
const mapAB = mapOf(a, b);

type Operator = (left: CelValue, right: CelValue) => CelValue;

function numeric(verb: string, call: Operator, withDouble = true): Overload[] {
  const overloads = [
    globalOverload(`${verb}_int64`, [intType, intType], intType, call),
    globalOverload(`${verb}_uint64`, [uintType, uintType], uintType, call),
  ];
  if (withDouble) {
    overloads.push(globalOverload(`${verb}_double`, [doubleType, doubleType], doubleType, call));
  }
  return overloads;
}

const orders: readonly (readonly [string, Type, Type])[] = [
  ['bool', boolType, boolType],
  ['int64', intType, intType],
  ['int64_double', intType, doubleType],
  ['int64_uint64', intType, uintType],
  ['uint64', uintType, uintType],
  ['uint64_double', uintType, doubleType],
  ['uint64_int64', uintType, intType],
  ['double', doubleType, doubleType],
  ['double_int64', doubleType, intType],
  ['double_uint64', doubleType, uintType],
  ['string', stringType, stringType],
  ['bytes', bytesType, bytesType],
  ['timestamp', timestampType, timestampType],
  ['duration', durationType, durationType],
];

function relation(verb: string, call: Operator): Overload[] {
  return orders.map(([suffix, left, right]) =>
    globalOverload(`${verb}_${suffix}`, [left, right], boolType, call),
  );
}

function binary(id: string, left: Type, right: Type, result: Type, call: Operator): Overload {
  return globalOverload(id, [left, right], result, call);
}

const notEqual: Operator = (left, right) => !equalValues(left, right);

/** Never called: the evaluator knows these. */
function unreachable(): never {
  throw noSuchOverload();
}

export const operatorLibrary: Library = {
  '_?_:_': [globalOverload('conditional', [boolType, a, a], a, unreachable)],
  '_&&_': [globalOverload('logical_and', [boolType, boolType], boolType, unreachable)],
  '_||_': [globalOverload('logical_or', [boolType, boolType], boolType, unreachable)],
  '!_': [globalOverload('logical_not', [boolType], boolType, not)],
  '@not_strictly_false': [globalOverload('not_strictly_false', [boolType], boolType, unreachable)],
  '_==_': [binary('equals', a, a, boolType, equalValues)],
  '_!=_': [binary('not_equals', a, a, boolType, notEqual)],
  '_<_': relation('less', isLess),
  '_<=_': relation('less_equals', isLessOrEqual),
  '_>_': relation('greater', isGreater),
  '_>=_': relation('greater_equals', isGreaterOrEqual),
  '_+_': [
    binary('add_bytes', bytesType, bytesType, bytesType, add),
    binary('add_double', doubleType, doubleType, doubleType, add),
    binary('add_duration_duration', durationType, durationType, durationType, add),
    binary('add_duration_timestamp', durationType, timestampType, timestampType, add),
    binary('add_timestamp_duration', timestampType, durationType, timestampType, add),
    binary('add_int64', intType, intType, intType, add),
    binary('add_list', listA, listA, listA, add),
    binary('add_string', stringType, stringType, stringType, add),
    binary('add_uint64', uintType, uintType, uintType, add),
  ],
  '_-_': [
    ...numeric('subtract', subtract),
    binary('subtract_duration_duration', durationType, durationType, durationType, subtract),
    binary('subtract_timestamp_duration', timestampType, durationType, timestampType, subtract),
    binary('subtract_timestamp_timestamp', timestampType, timestampType, durationType, subtract),
  ],
  '_*_': numeric('multiply', multiply),
  '_/_': numeric('divide', divide),
  '_%_': numeric('modulo', remainder, false),
  '-_': [
    globalOverload('negate_int64', [intType], intType, negate),
    globalOverload('negate_double', [doubleType], doubleType, negate),
  ],
  '@in': [binary('in_list', a, listA, boolType, isIn), binary('in_map', a, mapAB, boolType, isIn)],
  '_[_]': [
    binary('index_list', listA, intType, a, element),
    binary('index_map', mapAB, a, b, element),
    binary('optional_list_index_value', optionalOf(listA), intType, optionalOf(a), element),
    binary('optional_map_index_value', optionalOf(mapAB), a, optionalOf(b), element),
  ],
  '_[?_]': [
    binary('list_optindex_optional_int', listA, intType, optionalOf(a), optionalElement),
    binary(
      'optional_list_optindex_optional_int',
      optionalOf(listA),
      intType,
      optionalOf(a),
      optionalElement,
    ),
    binary('map_optindex_optional_value', mapAB, a, optionalOf(b), optionalElement),
    binary(
      'optional_map_optindex_optional_value',
      optionalOf(mapAB),
      a,
      optionalOf(b),
      optionalElement,
    ),
  ],
};
