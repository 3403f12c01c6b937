import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type * as Jose from 'jose';
import type { JWK, JWTPayload } from 'jose';

import { K3tsError } from '#base/errors.ts';

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
 * Signs with the first key of a `service.key` file and verifies with all of them, so that keys can
 * be rotated. Throws `InvalidToken` from verify.
 */
export function createServiceAccountTokens(keysPem: string): ServiceAccountTokens {
  const blocks = keysPem.match(
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/g,
  );
  const signer = blocks?.[0];
  if (blocks === null || signer === undefined) {
    throw new K3tsError('InvalidKey', 'service.key holds no private key');
  }
  const signingKey = createPrivateKey(signer);
  const publicKeys = new Map<string, KeyObject>();
  for (const block of blocks) {
    const key = createPublicKey(block);
    publicKeys.set(keyId(key), key);
  }
  const kid = keyId(createPublicKey(signer));
  const keys: JWK[] = [...publicKeys].map(([id, key]) => ({
    ...(key.export({ format: 'jwk' }) as JWK),
    use: 'sig',
    alg: 'RS256',
    kid: id,
  }));
  return {
    keys,
    async sign(claims) {
      const { SignJWT } = await loadJose();
      return await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(signingKey);
    },
    async verify(token) {
      const { jwtVerify } = await loadJose();
      try {
        // Times are the caller's to judge by its own clock: allow any.
        const { payload } = await jwtVerify(
          token,
          (header) => {
            const key = publicKeys.get(header.kid ?? '');
            if (key === undefined) throw new Error('no key with this id');
            return key;
          },
          { algorithms: ['RS256'], clockTolerance: Number.MAX_SAFE_INTEGER },
        );
        return payload;
      } catch (error) {
        throw new K3tsError('InvalidToken', 'invalid bearer token', { cause: error });
      }
    },
  };
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
