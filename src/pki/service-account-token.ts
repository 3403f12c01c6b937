import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type * as Jose from 'jose';
import type { JWK, JWTPayload } from 'jose';

import { K3tsError } from '#base/errors.ts';

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;
const algorithms = ['RS256', 'ES256', 'ES384', 'ES512'] as const;
/** By the curves' names in OpenSSL. */
const curves: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

interface KnownKey {
  readonly key: KeyObject;
  readonly alg: string;
}

/** Claims of a service-account token; times are seconds since 1970. */
export type TokenClaims = JWTPayload;

export interface ServiceAccountTokens {
  sign(claims: TokenClaims): Promise<string>;
  /** The claims of a token that one of the keys signed; does not look at times or audiences. */
  verify(token: string): Promise<TokenClaims>;
  /** Public keys for /openid/v1/jwks. */
  readonly keys: readonly JWK[];
}

/**
 * Signs with the first private key of the text and verifies with all keys, private or public, so
 * that keys can be rotated: RSA, or ECDSA on the curves of ES256, ES384 and ES512. Throws
 * `InvalidKey`, and `InvalidToken` from verify.
 */
export function createServiceAccountTokens(keysPem: string): ServiceAccountTokens {
  const blocks = keysPem.match(pemBlock)?.filter((block) => !block.includes('PARAMETERS')) ?? [];
  const signer = blocks.find((block) => block.includes('PRIVATE KEY-----'));
  if (signer === undefined) throw new K3tsError('InvalidKey', 'service.key holds no private key');
  const signingKey = createPrivateKey(signer);
  const known = new Map<string, KnownKey>();
  for (const block of [signer, ...blocks]) {
    const key = createPublicKey(block);
    known.set(keyId(key), { key, alg: algorithmOf(key) });
  }
  const own = createPublicKey(signer);
  const kid = keyId(own);
  const alg = algorithmOf(own);
  const keys: JWK[] = [...known].map(([id, { key, alg: itsOwn }]) => ({
    ...(key.export({ format: 'jwk' }) as JWK),
    use: 'sig',
    alg: itsOwn,
    kid: id,
  }));
  return {
    keys,
    async sign(claims) {
      const { SignJWT } = await loadJose();
      return await new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(signingKey);
    },
    async verify(token) {
      const { jwtVerify } = await loadJose();
      try {
        // Times are the caller's to judge by its own clock: allow any.
        const { payload } = await jwtVerify(
          token,
          (header) => {
            const found = known.get(header.kid ?? '');
            if (found === undefined || found.alg !== header.alg) {
              throw new Error('no key with this id');
            }
            return found.key;
          },
          { algorithms: [...algorithms], clockTolerance: Number.MAX_SAFE_INTEGER },
        );
        return payload;
      } catch (error) {
        throw new K3tsError('InvalidToken', 'invalid bearer token', { cause: error });
      }
    },
  };
}

function algorithmOf(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  const alg = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (alg === undefined) {
    throw new K3tsError('InvalidKey', 'unknown curve or kind of key: it must be RSA or ECDSA');
  }
  return alg;
}

/** At the first token: it costs a start about 50 ms. */
async function loadJose(): Promise<typeof Jose> {
  return await import('jose');
}

/** Upstream's key id: unpadded base64url of the SHA-256 of the public key's DER. */
function keyId(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
