/** One entry of an Accept header. */
export interface AcceptedType {
  /** `application/json`, in lower case. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The entries of an Accept header, best first: by q, then as written. Empty for none. */
export function acceptedTypes(header: string | undefined): AcceptedType[] {
  if (header === undefined || header.trim() === '') return [];
  return header
    .split(',')
    .map((entry) => {
      const [type = '', ...rest] = entry.split(';').map((part) => part.trim());
      const parameters = new Map(
        rest.map((part): [string, string] => {
          const equals = part.indexOf('=');
          return equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
        }),
      );
      return { type: type.toLowerCase(), parameters };
    })
    .filter((entry) => quality(entry) > 0)
    .sort((a, b) => quality(b) - quality(a));
}

function quality(entry: AcceptedType): number {
  const value = Number(entry.parameters.get('q') ?? '1');
  return Number.isNaN(value) ? 0 : value;
}

/** Whether an entity tag is among those of an If-None-Match header. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((entry) => entry.trim().replace(/^W\//, '') === etag);
}
