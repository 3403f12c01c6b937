/** Picks the overload for the arguments at hand; declared types do not bind the data. */
import type { Implementation, Overload } from '../check/declaration.ts';
import type { Type } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { operatorLibrary } from '../library/operators.ts';
import { CelList } from '../values/list.ts';
import { CelMap, ObjectValue } from '../values/map.ts';
import { CelDuration, CelTimestamp } from '../values/time.ts';
import { typeNameOf } from '../values/type-name.ts';
import {
  CelAbstract,
  CelDouble,
  CelOptional,
  CelTypeValue,
  CelUint,
  type CelValue,
} from '../values/value.ts';

type Guard = (value: CelValue) => boolean;

const guards: Readonly<Record<string, Guard>> = {
  bool: (value) => typeof value === 'boolean',
  int: (value) => typeof value === 'number' || typeof value === 'bigint',
  uint: (value) => value instanceof CelUint,
  double: (value) => value instanceof CelDouble,
  string: (value) => typeof value === 'string',
  bytes: (value) => value instanceof Uint8Array,
  null: (value) => value === null,
  timestamp: (value) => value instanceof CelTimestamp,
  duration: (value) => value instanceof CelDuration,
  list: (value) => value instanceof CelList,
  map: (value) => value instanceof CelMap,
  type: (value) => value instanceof CelTypeValue,
};

/** Lists of one element type are told apart by their first element, as cel-go does. */
function listGuard(element: Type): Guard {
  const ofElement = guardOf(element);
  if (ofElement === undefined) return guards['list'] as Guard;
  return (value) => value instanceof CelList && (value.size === 0 || ofElement(value.at(0)));
}

function guardOf(type: Type): Guard | undefined {
  if (type.kind === 'dyn' || type.kind === 'param') return undefined;
  if (type.kind === 'list') return listGuard(type.params[0] as Type);
  if (type.name === 'optional_type') return (value) => value instanceof CelOptional;
  const plain = guards[type.kind];
  if (plain !== undefined) return plain;
  return (value) =>
    (value instanceof CelAbstract && value.typeName === type.name) ||
    (value instanceof ObjectValue && value.shape.name === type.name);
}

function noMatch(name: string, args: readonly CelValue[]): CelRuntimeError {
  return new CelRuntimeError(`no such overload: ${name}(${args.map(typeNameOf).join(', ')})`);
}

/** Functions that take integers beyond the safe range as they are. */
const exactIntegers = new Set([
  'double',
  'duration',
  'dyn',
  'int',
  'string',
  'type',
  'uint',
  'add',
  'sub',
  'indexOf',
  'lastIndexOf',
  'optional.of',
  'optional.ofNonZeroValue',
  'cel.@mapInsert',
]);

function small(value: CelValue): CelValue {
  return typeof value === 'bigint' ? Number(value) : value;
}

function withSmallIntegers(name: string, overload: Overload): Implementation {
  const { call } = overload;
  const hasInteger = overload.params.some(({ kind }) => kind === 'int');
  if (!hasInteger || (exactIntegers.has(name) && overload.params.length < 3)) return call;
  return (a, b, c, d) => call(small(a), small(b), small(c), small(d));
}

/** Operators look at their arguments themselves. */
export function dispatcher(name: string, overloads: readonly Overload[]): Implementation {
  const [first] = overloads;
  if (first === undefined) {
    return () => {
      throw new CelRuntimeError(`no such overload: ${name}`);
    };
  }
  if (Object.hasOwn(operatorLibrary, name)) return first.call;
  const choices = overloads.map((overload) => ({
    size: overload.params.length,
    guards: [0, 1, 2, 3].map((index) => {
      const param = overload.params[index];
      return param === undefined ? undefined : guardOf(param);
    }),
    call: withSmallIntegers(name, overload),
  }));
  return (a, b, c, d) => {
    for (const {
      guards: [ga, gb, gc, gd],
      call,
    } of choices) {
      if (ga !== undefined && !ga(a)) continue;
      if (gb !== undefined && !gb(b)) continue;
      if (gc !== undefined && !gc(c)) continue;
      if (gd !== undefined && !gd(d)) continue;
      return call(a, b, c, d);
    }
    throw noMatch(name, [a, b, c, d].slice(0, first.params.length));
  };
}
