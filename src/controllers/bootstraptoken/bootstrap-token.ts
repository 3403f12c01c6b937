import { createHmac } from 'node:crypto';
import type { Secret } from '#schema/types.ts';

export const tokenNamespace = 'kube-system';
export const tokenType = 'bootstrap.kubernetes.io/token';

function textOf(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}

/** Milliseconds since 1970 at which the token ends; undefined without an end. */
export function expirationMs(secret: Secret): number | undefined {
  const text = textOf(secret, 'expiration');
  if (text === '') return undefined;
  const atMs = Date.parse(text);
  // As upstream: an end that cannot be read has come.
  return Number.isNaN(atMs) ? 0 : atMs;
}

/** Id and secret of a token that may sign now. */
export function signingToken(
  secret: Secret,
  nowMs: number,
): { id: string; secret: string } | undefined {
  const id = textOf(secret, 'token-id');
  const key = textOf(secret, 'token-secret');
  const isNamed = secret.metadata.name === `bootstrap-token-${id}`;
  if (secret.type !== tokenType || !isNamed || key === '') return undefined;
  if (textOf(secret, 'usage-bootstrap-signing') !== 'true') return undefined;
  const endMs = expirationMs(secret);
  return endMs !== undefined && endMs <= nowMs ? undefined : { id, secret: key };
}

/** A JWS (HS256) with the content left out: `<header>..<signature>`. */
export function detachedSignature(content: string, id: string, secret: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
  const payload = Buffer.from(content).toString('base64url');
  const signature = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
  return `${header}..${signature}`;
}
