type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a dotted path, undefined when there is none. */
export function valueAt(object: object, path: string): unknown {
  let value: unknown = object;
  for (const step of path.split('.')) {
    if (!isFields(value)) return undefined;
    value = value[step];
  }
  return value;
}

/**
 * Makes `object` carry what `from` has at a dotted path, removing it where `from` has nothing. The
 * value is shared with `from`; parents are copied, so that nothing inside `object` is changed.
 */
export function takeFrom(object: object, from: object, path: string): void {
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let at = object as Fields;
  let source: unknown = from;
  for (const step of steps) {
    source = isFields(source) ? source[step] : undefined;
    const inside = at[step];
    if (!isFields(inside) && source === undefined) return;
    const copy: Fields = isFields(inside) ? { ...inside } : {};
    at[step] = copy;
    at = copy;
  }
  const value = isFields(source) ? source[last] : undefined;
  if (value === undefined) delete at[last];
  else at[last] = value;
}
