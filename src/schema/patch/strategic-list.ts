import { patchMarker, plainValue } from './directives.ts';
import type { KeyOf } from './element-order.ts';
import { orderElements } from './element-order.ts';
import type { Fields } from './patch-errors.ts';
import { goText } from './go-text.ts';
import { isFields, plainFailure, unprocessable } from './patch-errors.ts';

/** Merges one item into its counterpart. */
export type MergeItem = (original: Fields, patch: Fields) => Fields;

const scalarKey: KeyOf = (item) => `${typeof item}:${String(item)}`;

/** Identity of the items of a list: by merge key when they are objects, else by value. */
export function keyOfItems(mergeKey: string | undefined): KeyOf {
  if (mergeKey === undefined) return scalarKey;
  return (item) => scalarKey(isFields(item) ? item[mergeKey] : item);
}

function checkItems(lists: readonly (readonly unknown[])[]): boolean {
  const all = lists.flat();
  if (all.some((item) => Array.isArray(item)))
    throw unprocessable('lists of lists are not supported');
  const maps = all.filter(isFields).length;
  if (maps !== 0 && maps !== all.length) throw plainFailure('list element types are not identical');
  return maps > 0;
}

/** Merges a list whose patchStrategy is merge. */
export function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string | undefined,
  mergeItem: MergeItem,
): unknown[] {
  if (!checkItems([original, patch])) {
    const merged = [...new Set([...original, ...patch])];
    return orderElements(merged, patch, original, scalarKey);
  }
  if (mergeKey === undefined) throw plainFailure('cannot merge lists without merge key');
  const { base, items } = followMarkers(original as Fields[], patch as Fields[], mergeKey);
  const keyOf = keyOfItems(mergeKey);
  const merged = [...base];
  const index = new Map(base.map((item, at) => [keyOf(item), at]));
  for (const item of items) {
    requireKey(item, mergeKey);
    const at = index.get(keyOf(item));
    const before = at === undefined ? undefined : merged[at];
    if (at !== undefined && before !== undefined) merged[at] = mergeItem(before, item);
    else {
      index.set(keyOf(item), merged.length);
      merged.push(plainValue(item) as Fields);
    }
  }
  return orderElements(merged, items, base, keyOf);
}

function requireKey(item: Fields, mergeKey: string): void {
  if (item[mergeKey] !== undefined) return;
  const text = `map: ${goText(item)} does not contain declared merge key: ${mergeKey}`;
  throw plainFailure(text);
}

/** Follows `$patch` in items: delete removes a counterpart, replace forgets the original. */
function followMarkers(
  original: readonly Fields[],
  patch: readonly Fields[],
  mergeKey: string,
): { base: readonly Fields[]; items: readonly Fields[] } {
  const keyOf = keyOfItems(mergeKey);
  const items: Fields[] = [];
  const deleted = new Set<string>();
  let isReplaced = false;
  for (const item of patch) {
    const marker = item[patchMarker];
    if (marker === undefined) items.push(item);
    else if (marker === 'delete') {
      requireKey(item, mergeKey);
      deleted.add(keyOf(item));
    } else if (marker === 'replace') isReplaced = true;
    else if (marker === 'merge') {
      throw plainFailure('merging lists cannot yet be specified in the patch');
    } else throw plainFailure(`unknown patch type: ${goText(marker)} in map: ${goText(item)}`);
  }
  if (isReplaced) return { base: items.map((item) => plainValue(item) as Fields), items: [] };
  return { base: original.filter((item) => !deleted.has(keyOf(item))), items };
}

/** Removes values from a list of scalars. */
export function deleteFromList(
  original: readonly unknown[],
  values: readonly unknown[],
): unknown[] {
  const gone = new Set(values.map(scalarKey));
  return original.filter((item) => !gone.has(scalarKey(item)));
}
