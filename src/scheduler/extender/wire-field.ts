/**
 * A field of an extender's answer. Extenders written in Go answer with capital letters, others with
 * small ones; Go's decoder, which upstream uses, takes both.
 */
export function field(object: unknown, name: string): object | string | number | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const fields = object as Record<string, object | string | number | null | undefined>;
  const exact = fields[name];
  if (exact !== undefined) return exact ?? undefined;
  const wanted = name.toLowerCase();
  for (const [key, value] of Object.entries(fields)) {
    if (key.toLowerCase() === wanted) return value ?? undefined;
  }
  return undefined;
}
