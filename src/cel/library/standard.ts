/** size(), the string tests and matches() of the language itself. */
import {
  globalOverload,
  type Library,
  memberOverload,
  type Overload,
} from '../check/declaration.ts';
import {
  boolType,
  bytesType,
  intType,
  listOf,
  mapOf,
  paramType,
  stringType,
  type Type,
} from '../check/type.ts';
import type { CelList } from '../values/list.ts';
import type { CelMap } from '../values/map.ts';
import { compileRegex } from '../values/regex.ts';
import { stringSize } from '../values/size.ts';

const sizes: readonly (readonly [string, Type, (value: never) => number])[] = [
  ['bytes', bytesType, (bytes: Uint8Array) => bytes.length],
  ['list', listOf(paramType('A')), (list: CelList) => list.size],
  ['map', mapOf(paramType('A'), paramType('B')), (map: CelMap) => map.size],
  ['string', stringType, stringSize],
];

function stringTest(id: string, call: (text: string, part: string) => boolean): Overload {
  return memberOverload(id, [stringType, stringType], boolType, call);
}

function matches(text: string, pattern: string): boolean {
  return compileRegex(pattern).occursIn(text);
}

export const standardLibrary: Library = {
  size: [
    ...sizes.map(([name, type, call]) => globalOverload(`size_${name}`, [type], intType, call)),
    ...sizes.map(([name, type, call]) => memberOverload(`${name}_size`, [type], intType, call)),
  ],
  contains: [stringTest('contains_string', (text, part) => text.includes(part))],
  startsWith: [stringTest('starts_with_string', (text, part) => text.startsWith(part))],
  endsWith: [stringTest('ends_with_string', (text, part) => text.endsWith(part))],
  matches: [
    globalOverload('matches', [stringType, stringType], boolType, matches),
    stringTest('matches_string', matches),
  ],
};
