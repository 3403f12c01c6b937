import { posix } from 'node:path';

import { messageOf } from '#base/errors.ts';
import { parseJson } from '#schema/mod.ts';
import { badRequest } from '../api-errors.ts';

/** Where a paged list goes on. */
export interface ContinuePoint {
  /** Version that the first page showed; negative for the newest (a list that gave up consistency). */
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
  const { v, rv, start } = readToken(token);
  if (v !== 'meta.k8s.io/v1') {
    throw refused(`: server does not recognize this encoded version ${textOf(v)}`);
  }
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0) {
    throw refused(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '') {
    throw refused(': encoded start key empty (version meta.k8s.io/v1)');
  }
  const path = start.startsWith('/') ? start : `/${start}`;
  const cleaned = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (cleaned !== path) throw refused(`: ${start}`);
  return { revision: rv, start: path.slice(1) };
}

function readToken(token: string): Record<string, unknown> {
  const wrongAt = /[^\w-]/.exec(token)?.index ?? (token.length % 4 === 1 ? token.length - 1 : -1);
  if (wrongAt >= 0) throw refused(`: illegal base64 data at input byte ${wrongAt}`);
  let parsed: unknown;
  try {
    parsed = parseJson(Buffer.from(token, 'base64url'), 'Ignore').value;
  } catch (error) {
    throw refused(`: ${messageOf(error)}`);
  }
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw refused(
      `: json: cannot unmarshal ${goWord(parsed)} into Go value of type storage.continueToken`,
    );
  }
  const fields = (parsed ?? {}) as Record<string, unknown>;
  for (const [name, wanted] of Object.entries(tokenFields)) {
    const value = fields[name] ?? undefined;
    if (value === undefined || typeof value === (wanted === 'int64' ? 'number' : wanted)) continue;
    throw refused(
      `: json: cannot unmarshal ${goWord(value)} into Go struct field continueToken.${name} of type ${wanted}`,
    );
  }
  return fields;
}

/** The fields of a token and their types in Go. */
const tokenFields = { v: 'string', rv: 'int64', start: 'string' } as const;

/** What Go's decoder calls a value. */
function goWord(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function textOf(version: unknown): string {
  return typeof version === 'string' ? version : '';
}

function refused(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid${why}`);
}
