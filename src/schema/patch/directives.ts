import type { Fields } from './patch-errors.ts';
import { isFields, setField } from './patch-errors.ts';

export const patchMarker = '$patch';
export const retainKeysMarker = '$retainKeys';
export const deletePrefix = '$deleteFromPrimitiveList/';
export const orderPrefix = '$setElementOrder/';

/** Whether a key of a patch is an instruction and no field. */
export function isDirective(key: string): boolean {
  return (
    key === patchMarker ||
    key === retainKeysMarker ||
    key.startsWith(deletePrefix) ||
    key.startsWith(orderPrefix)
  );
}

/** What a part of a patch stands for where the object has nothing: no nulls, no instructions. */
export function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isInstruction(item)).map(plainValue);
  if (!isFields(value)) return value;
  const result: Fields = {};
  for (const key of Object.keys(value)) {
    const inside = value[key];
    if (inside !== null && !isDirective(key)) setField(result, key, plainValue(inside));
  }
  return result;
}

/** List items that only say to delete another item or to replace the list. */
function isInstruction(item: unknown): boolean {
  if (!isFields(item)) return false;
  return item[patchMarker] === 'delete' || item[patchMarker] === 'replace';
}
