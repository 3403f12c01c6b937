import { badRequest } from '../api-errors.ts';

/** Where a paged list goes on. */
export interface ContinuePoint {
  /** Version that the first page showed; -1 for the newest (a list that gave up consistency). */
  revision: number;
  /** Key without the kind's prefix; the page starts there, inclusive. */
  start: string;
}

/** The token of upstream: base64url of {"v":"meta.k8s.io/v1","rv":…,"start":…}. */
export function encodeContinue(point: ContinuePoint): string {
  const json = JSON.stringify({ v: 'meta.k8s.io/v1', rv: point.revision, start: point.start });
  return Buffer.from(json).toString('base64url');
}

/** The point just after an entry's key. */
export function pointAfter(revision: number, relativeKey: string): ContinuePoint {
  return { revision, start: `${relativeKey}\0` };
}

/** Throws BadRequest for anything that encodeContinue did not make. */
export function decodeContinue(token: string): ContinuePoint {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    throw badRequest('continue key is not valid: invalid encoding');
  }
  if (typeof parsed !== 'object' || parsed === null) {
    throw badRequest('continue key is not valid: invalid encoding');
  }
  const { v, rv, start } = parsed as Record<string, unknown>;
  if (v !== 'meta.k8s.io/v1') {
    throw badRequest(
      `continue key is not valid: server does not recognize this encoded version ${JSON.stringify(v)}`,
    );
  }
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0) {
    throw badRequest(
      'continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    );
  }
  if (typeof start !== 'string' || start === '' || start.includes('..')) {
    throw badRequest('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  }
  return { revision: rv, start };
}
