import { badRequest, isFields, jsonTypeName, ownField, setField } from './patch-errors.ts';
import type { Fields } from './patch-errors.ts';

/**
 * Applies an RFC 7386 merge patch: null removes a field, objects merge, all else replaces. Shares
 * unchanged parts with `original` and given values with `patch`. Throws BadRequest unless the
 * patch is an object.
 */
export function applyMergePatch<T extends object>(original: T, patch: unknown): T {
  if (!isFields(patch)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return mergeFields(original as Fields, patch) as T;
}

function mergeFields(original: Fields, patch: Fields): Fields {
  const result = { ...original };
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) {
      delete result[key];
      continue;
    }
    const before = ownField(result, key);
    setField(
      result,
      key,
      isFields(value) ? mergeFields(isFields(before) ? before : {}, value) : value,
    );
  }
  return result;
}
