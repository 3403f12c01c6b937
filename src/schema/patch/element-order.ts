/** Names the item of a list that another item stands for: its merge key, or a scalar's value. */
export type KeyOf = (item: unknown) => string;

function positions(list: readonly unknown[], keyOf: KeyOf): Map<string, number> {
  const result = new Map<string, number>();
  for (const [index, item] of list.entries()) {
    const key = keyOf(item);
    if (!result.has(key)) result.set(key, index);
  }
  return result;
}

/**
 * Brings a merged list into the order upstream gives it: items that the patch names in the order
 * of `patchOrder`, the others in the order of `serverOrder`, and between the two kinds the server's
 * order where it knows both, else the patch's items first.
 */
export function orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  keyOf: KeyOf,
): unknown[] {
  const inPatch = positions(patchOrder, keyOf);
  const onServer = positions(serverOrder, keyOf);
  const by = (order: Map<string, number>) => (a: unknown, b: unknown) =>
    (order.get(keyOf(a)) ?? order.size) - (order.get(keyOf(b)) ?? order.size);
  const right = merged.filter((item) => inPatch.has(keyOf(item))).toSorted(by(inPatch));
  const left = merged.filter((item) => !inPatch.has(keyOf(item))).toSorted(by(onServer));
  const result: unknown[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const leftAt = onServer.get(keyOf(left[i]));
    const rightAt = onServer.get(keyOf(right[j]));
    const isLeftFirst = leftAt !== undefined && rightAt !== undefined && leftAt < rightAt;
    result.push(isLeftFirst ? left[i++] : right[j++]);
  }
  return [...result, ...left.slice(i), ...right.slice(j)];
}
