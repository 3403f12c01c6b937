/** The function that transformMap and transformMapEntry build their result with. */
import { globalOverload, type Library } from '../check/declaration.ts';
import { mapOf, paramType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { type CelMap, ComputedMap } from '../values/map.ts';
import { toJson } from '../values/to-json.ts';
import type { CelValue } from '../values/value.ts';

const k = paramType('K');
const v = paramType('V');
const map = mapOf(k, v);

function insert(target: CelMap, pairs: readonly [CelValue, CelValue][]): CelMap {
  for (const [key] of pairs) {
    if (target.has(key)) {
      throw new CelRuntimeError(`insert failed: key ${String(toJson(key))} already exists`);
    }
  }
  return ComputedMap.of([...pairsOf(target), ...pairs]);
}

function pairsOf(of: CelMap): [CelValue, CelValue][] {
  return of.keys().map((key) => [key, of.find(key) as CelValue]);
}

export const comprehensionLibrary: Library = {
  'cel.@mapInsert': [
    globalOverload(
      '@mapInsert_map_key_value',
      [map, k, v],
      map,
      (target: CelMap, key: CelValue, value: CelValue) => insert(target, [[key, value]]),
    ),
    globalOverload('@mapInsert_map_map', [map, map], map, (target: CelMap, added: CelMap) =>
      insert(target, pairsOf(added)),
    ),
  ],
};
