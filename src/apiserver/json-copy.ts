/** A deep copy of a JSON value; fields that are undefined are left out, as JSON leaves them out. */
export function copyJson<T>(value: T): T {
  return copyValue(value) as T;
}

function copyValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyValue);
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    if (field !== undefined) copy[key] = copyValue(field);
  }
  return copy;
}

/** Whether two JSON values are the same; order of fields and undefined fields do not count. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => isSameJson(item, b[i]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  let matched = 0;
  for (const key in left) {
    if (left[key] === undefined) continue;
    if (!isSameJson(left[key], right[key])) return false;
    matched++;
  }
  for (const key in right) if (right[key] !== undefined) matched--;
  return matched === 0;
}
