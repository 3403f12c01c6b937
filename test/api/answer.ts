import type { IncomingHttpHeaders } from 'node:http';

/** A complete answer of the server. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The parsed body; throws when it is no JSON. */
  readonly json: unknown;
  /** Texts of Warning headers, unescaped. */
  readonly warnings: readonly string[];
  /** A field of the parsed body, as `at` finds it. */
  at(path: string | readonly string[]): unknown;
}

export function answerOf(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer {
  const warning = headers['warning'] ?? '';
  const lines = (Array.isArray(warning) ? warning.join(', ') : warning).matchAll(
    /299 - "((?:[^"\\]|\\.)*)"/g,
  );
  return {
    status,
    headers,
    bytes,
    text: bytes.toString(),
    get json() {
      return JSON.parse(bytes.toString()) as unknown;
    },
    warnings: [...lines].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1')),
    at: (path) => at(JSON.parse(bytes.toString()), path),
  };
}

/**
 * A field inside a JSON value: names and indexes with dots between them (an array of names when they
 * hold dots), `*` for a list of what all elements have. Undefined when there is none.
 */
export function at(value: unknown, path: string | readonly string[]): unknown {
  const [name, ...rest] = typeof path === 'string' ? path.split('.') : path;
  if (name === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  if (name === '*') return Object.values(value).map((each) => at(each, rest));
  return at((value as Record<string, unknown>)[name], rest);
}
