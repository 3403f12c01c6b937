import { typeTable } from '../type-table/type-table.ts';
import type { Fields } from './patch-errors.ts';
import { badRequest, isFields, jsonTypeName } from './patch-errors.ts';
import { StrategicMerge } from './strategic-map.ts';
import type { TypeLookup } from './type-lookup.ts';

/**
 * Applies a strategic merge patch: lists merge by the keys that the type of the object names, and
 * the directives $patch, $retainKeys, $setElementOrder and $deleteFromPrimitiveList are followed.
 * Shares unchanged parts with `original`. Throws the errors of upstream: BadRequest for a bad
 * form, Invalid (422) for what cannot be merged, code 500 where upstream gives no Status.
 */
export function applyStrategicPatch<T extends object>(
  original: T,
  patch: unknown,
  typeName: string,
  types: TypeLookup = typeTable,
): T {
  if (!isFields(patch)) {
    throw badRequest(
      `json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type map[string]interface {}`,
    );
  }
  const place = { type: types.type(typeName), valueType: undefined };
  return new StrategicMerge(types).merge(original as Fields, patch, place) as T;
}
