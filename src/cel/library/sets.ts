/** sets.contains, sets.equivalent and sets.intersects over lists. */
import { globalOverload, type Library } from '../check/declaration.ts';
import { boolType, listOf, paramType } from '../check/type.ts';
import { isIn } from '../values/operators.ts';
import type { CelList } from '../values/list.ts';

const list = listOf(paramType('T'));

function contains(outer: CelList, inner: CelList): boolean {
  return inner.values().every((item) => isIn(item, outer));
}

export const setLibrary: Library = {
  'sets.contains': [globalOverload('list_sets_contains_list', [list, list], boolType, contains)],
  'sets.equivalent': [
    globalOverload(
      'list_sets_equivalent_list',
      [list, list],
      boolType,
      (left: CelList, right: CelList) => contains(left, right) && contains(right, left),
    ),
  ],
  'sets.intersects': [
    globalOverload(
      'list_sets_intersects_list',
      [list, list],
      boolType,
      (left: CelList, right: CelList) => left.values().some((item) => isIn(item, right)),
    ),
  ],
};
