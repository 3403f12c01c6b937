import { K3tsError } from '#base/errors.ts';

/** The one entry whose ID starts with `prefix`, or whose name it is; a clear error otherwise. */
export function findOne<T extends { id: string; metadata?: { name: string } | undefined }>(
  what: string,
  entries: readonly T[],
  prefix: string,
): T {
  const found = entries.filter(({ id }) => id.startsWith(prefix));
  const byName = entries.filter(({ metadata }) => metadata?.name === prefix);
  const candidates = found.length > 0 ? found : byName;
  const [only, other] = candidates;
  if (only === undefined) {
    throw new K3tsError('NotFound', `no ${what} with ID or name "${prefix}"`);
  }
  if (other !== undefined) {
    throw new K3tsError(
      'Usage',
      `"${prefix}" fits ${candidates.length} ${what}s: give more of the ID`,
    );
  }
  return only;
}
