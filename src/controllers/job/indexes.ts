/** Reads the form of completedIndexes: `1,3-5,7`; indexes at or above `limit` are left out. */
export function parseIndexes(text: string | undefined, limit: number): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const [first = '', last = first] = part.split('-');
    if (first === '') continue;
    for (let index = Number(first); index <= Math.min(Number(last), limit - 1); index++) {
      indexes.add(index);
    }
  }
  return indexes;
}

/** Writes that form; a range has at least three indexes, as upstream writes it. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length;) {
    const first = sorted[at] as number;
    let last = first;
    while (sorted[at + 1] === last + 1) {
      last += 1;
      at += 1;
    }
    at += 1;
    if (last === first) parts.push(String(first));
    else if (last === first + 1) parts.push(String(first), String(last));
    else parts.push(`${first}-${last}`);
  }
  return parts.join(',');
}
