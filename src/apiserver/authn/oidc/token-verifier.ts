import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { isSignedBy } from './jws.ts';
import type { Jws } from './jws.ts';
import type { JwtIssuer } from './jwt-issuer.ts';

/** A token may be this much ahead of this server's clock. */
const leewaySeconds = 5 * 60;

export type TokenRules = Pick<
  JwtIssuer,
  'url' | 'discoveryUrl' | 'authority' | 'algorithms' | 'audiences'
>;

/** Throws an Error, in upstream's words, for a token with a wrong signature, time or audience. */
export type TokenVerifier = (jws: Jws) => Promise<void>;

/** Verifies tokens of one issuer, whose keys are fetched when first needed. */
export function createTokenVerifier(options: { issuer: TokenRules; clock: Clock }): TokenVerifier {
  const { issuer, clock } = options;
  const keys = createIssuerKeys({
    issuer: issuer.url,
    discoveryUrl: issuer.discoveryUrl,
    authority: issuer.authority,
    clock,
  });
  return async (jws) => {
    if (!issuer.algorithms.includes(jws.algorithm)) {
      const expected = `[${issuer.algorithms.join(' ')}]`;
      throw new Error(
        `oidc: malformed jwt: unexpected signature algorithm ${JSON.stringify(jws.algorithm)}; expected ${expected}`,
      );
    }
    checkTimes(jws.claims, clock.now() / 1000);
    const candidates = await keys.find(jws.keyId);
    if (!candidates.some((key) => isSignedBy(jws, key))) {
      throw new Error('failed to verify signature: failed to verify id token signature');
    }
    checkAudience(issuer, jws.claims);
  };
}

function checkTimes(claims: Jws['claims'], nowSeconds: number): void {
  const { exp, nbf } = claims;
  if (typeof exp !== 'number' || exp < nowSeconds) {
    const shown = typeof exp === 'number' ? goTime(exp) : '0001-01-01 00:00:00 +0000 UTC';
    throw new Error(`oidc: token is expired (Token Expiry: ${shown})`);
  }
  if (typeof nbf === 'number' && nbf > nowSeconds + leewaySeconds) {
    throw new Error(
      `oidc: current time ${goTime(nowSeconds)} before the nbf (not before) time: ${goTime(nbf)}`,
    );
  }
}

function goTime(seconds: number): string {
  const text = formatTime(Math.floor(seconds) * 1000);
  return `${text.slice(0, 10)} ${text.slice(11, 19)} +0000 UTC`;
}

function checkAudience(issuer: TokenRules, claims: Jws['claims']): void {
  const given = [claims['aud']].flat().filter((one) => typeof one === 'string');
  if (issuer.audiences.some((audience) => given.includes(audience))) return;
  throw new Error(
    `oidc: expected audience in ${quoted([...issuer.audiences].sort())} got ${quoted(given)}`,
  );
}

function quoted(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;
}
