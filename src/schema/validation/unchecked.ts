/**
 * A decoded object before its rules are checked: its fields have the right types, but none of them
 * is sure to be there. With this type no rule can forget that.
 */
export type Unchecked<T> =
  T extends ReadonlyArray<infer U>
    ? ReadonlyArray<Unchecked<U>>
    : T extends object
      ? { readonly [K in keyof T]?: Unchecked<T[K]> | undefined }
      : T;

export type StringMap = Readonly<Record<string, string | undefined>>;

/** Whether a text, list or map is absent or has nothing in it. */
export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if (Object.hasOwn(value, key)) return false;
  return true;
}
