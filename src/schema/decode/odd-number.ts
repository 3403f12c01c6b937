/**
 * A number that JSON writes as no integer although it is one, such as 1.0 or 1e2. Go does not take
 * it for one where a type wants an integer, so what was written must be known there. It stands in
 * a parsed value only until that is conformed.
 */
export class OddNumber extends Number {
  readonly source: string;

  constructor(value: number, source: string) {
    super(value);
    this.source = source;
  }
}

const candidate = /[:[,]\s*-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)\s*[,}\]]/;

/** Whether JSON text may hold such a number; may say yes for text in strings. */
export function mayHoldOddNumbers(text: string): boolean {
  return candidate.test(text);
}

/** Parses JSON with its odd numbers kept; slow. */
export function parseWithOddNumbers(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined) return value;
    return Number.isInteger(value) && /[.eE]/.test(source) ? new OddNumber(value, source) : value;
  }) as unknown;
}

/** The value with plain numbers, in place; for parts that no type describes. */
export function plainNumbers(value: unknown): unknown {
  if (value instanceof OddNumber) return value.valueOf();
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    const inside = fields[key];
    if (typeof inside === 'object' && inside !== null) fields[key] = plainNumbers(inside);
  }
  return value;
}
