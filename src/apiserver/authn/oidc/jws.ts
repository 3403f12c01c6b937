import { constants, createPublicKey, verify } from 'node:crypto';
import type { JsonWebKeyInput, KeyObject } from 'node:crypto';

/** A signed token taken apart; nothing about it is checked yet. */
export interface Jws {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** A public key of an issuer. */
export interface IssuerKey {
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly key: KeyObject;
}

/** Signature algorithms that issuers may use. */
export const signatureAlgorithms: ReadonlySet<string> = new Set([
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
]);

/** The parts of a JWT in compact form; undefined for anything else. */
export function splitJws(token: string): Jws | undefined {
  const parts = token.split('.');
  const [head = '', body = '', signature = ''] = parts;
  if (parts.length !== 3) return undefined;
  const header = parseObject(head);
  const claims = parseObject(body);
  if (header === undefined || claims === undefined) return undefined;
  const { alg, kid } = header;
  return {
    algorithm: typeof alg === 'string' ? alg : '',
    keyId: typeof kid === 'string' ? kid : undefined,
    claims,
    signed: Buffer.from(`${head}.${body}`),
    signature: Buffer.from(signature, 'base64url'),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    // Not a JWT: another authenticator's business.
    return undefined;
  }
}

/** The signing keys of a JWKS document; keys of unknown sorts are left out. */
export function readKeySet(document: unknown): IssuerKey[] {
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new Error('the key set has no keys');
  return (keys as (JsonWebKeyInput['key'] & { kid?: string; use?: string })[]).flatMap((jwk) => {
    if (jwk.use !== undefined && jwk.use !== 'sig') return [];
    try {
      return [{ id: jwk.kid, type: jwk.kty, key: createPublicKey({ key: jwk, format: 'jwk' }) }];
    } catch {
      // A kind of key that this runtime does not know cannot have signed a token for it.
      return [];
    }
  });
}

/** Whether the key made the signature, with an algorithm of the key's own sort. */
export function isSignedBy(jws: Jws, { key, type }: IssuerKey): boolean {
  const digest = `sha${jws.algorithm.slice(2)}`;
  switch (jws.algorithm.slice(0, 2)) {
    case 'RS':
      return type === 'RSA' && verify(digest, jws.signed, key, jws.signature);
    case 'PS': {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
      return (
        type === 'RSA' && verify(digest, jws.signed, { key, padding, saltLength }, jws.signature)
      );
    }
    case 'ES':
      return (
        type === 'EC' &&
        verify(digest, jws.signed, { key, dsaEncoding: 'ieee-p1363' }, jws.signature)
      );
    default:
      return false;
  }
}
