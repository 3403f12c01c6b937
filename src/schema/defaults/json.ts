/** A parsed JSON object; defaults change it in place. */
export type Json = Record<string, unknown>;

/** The object under a field, or undefined when there is none. */
export function objectAt(of: Json | undefined, field: string): Json | undefined {
  const value = of?.[field];
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : undefined;
}

/** The objects of a list field; empty when there is none. */
export function objectsAt(of: Json | undefined, field: string): readonly Json[] {
  const value = of?.[field];
  return Array.isArray(value) ? (value as Json[]) : [];
}

export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) {
    return true;
  }
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

export function setIfAbsent(of: Json, field: string, value: unknown): void {
  if (of[field] === undefined) of[field] = value;
}

/** Copies what `from` has and `to` lacks. */
export function copyMissing(from: Json | undefined, to: Json): void {
  for (const key in from) setIfAbsent(to, key, from[key]);
}
