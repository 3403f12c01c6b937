import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import type { Authenticated } from '../authenticator.ts';
import { unauthorized } from '../failures.ts';
import { userOfClaims } from './claims-to-user.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { isSignedBy, splitJws } from './jws.ts';
import type { Jws } from './jws.ts';
import type { JwtIssuer } from './jwt-issuer.ts';

/** How long a good token is not looked at again, and how many are remembered. */
const rememberedMs = 10_000;
const maxRemembered = 4096;
/** A token may be this much ahead of this server's clock. */
const leewaySeconds = 5 * 60;

export interface JwtAuthenticator {
  /** Undefined for tokens of other issuers; throws Unauthorized for a wrong one of this. */
  authenticate(token: string): Promise<Authenticated | undefined>;
}

/** Tokens of one OpenID Connect issuer: signature, times, audience, then the issuer's own rules. */
export function createJwtAuthenticator(options: {
  issuer: JwtIssuer;
  clock: Clock;
}): JwtAuthenticator {
  const { issuer, clock } = options;
  const keys = createIssuerKeys({
    issuer: issuer.url,
    discoveryUrl: issuer.discoveryUrl,
    authority: issuer.authority,
    clock,
  });
  const remembered = new Map<string, { untilMs: number; found: Authenticated }>();

  async function verify(jws: Jws): Promise<Authenticated> {
    if (!issuer.algorithms.includes(jws.algorithm)) {
      const expected = `[${issuer.algorithms.join(' ')}]`;
      throw new Error(
        `oidc: verify token: oidc: malformed jwt: unexpected signature algorithm ${JSON.stringify(jws.algorithm)}; expected ${expected}`,
      );
    }
    checkTimes(jws.claims, clock.now() / 1000);
    const candidates = await keys.find(jws.keyId);
    if (!candidates.some((key) => isSignedBy(jws, key))) {
      throw new Error(
        'oidc: verify token: failed to verify signature: failed to verify id token signature',
      );
    }
    checkAudience(issuer, jws.claims);
    return { user: userOfClaims(issuer, jws.claims) };
  }

  return {
    async authenticate(token) {
      const nowMs = clock.now();
      const known = remembered.get(token);
      if (known !== undefined && nowMs < known.untilMs) return known.found;
      const jws = splitJws(token);
      if (jws === undefined || jws.claims['iss'] !== issuer.url) return undefined;
      try {
        const found = await verify(jws);
        const expiresMs = Number(jws.claims['exp']) * 1000;
        remembered.delete(token);
        remembered.set(token, { untilMs: Math.min(nowMs + rememberedMs, expiresMs), found });
        if (remembered.size > maxRemembered) {
          const [oldest] = remembered.keys();
          if (oldest !== undefined) remembered.delete(oldest);
        }
        return found;
      } catch (error) {
        throw unauthorized(error instanceof Error ? error.message : 'invalid token', error);
      }
    },
  };
}

function checkTimes(claims: Jws['claims'], nowSeconds: number): void {
  const { exp, nbf } = claims;
  if (typeof exp !== 'number' || exp < nowSeconds) {
    const shown = typeof exp === 'number' ? goTime(exp) : '0001-01-01 00:00:00 +0000 UTC';
    throw new Error(`oidc: verify token: oidc: token is expired (Token Expiry: ${shown})`);
  }
  if (typeof nbf === 'number' && nbf > nowSeconds + leewaySeconds) {
    throw new Error(
      `oidc: verify token: oidc: current time ${goTime(nowSeconds)} before the nbf (not before) time: ${goTime(nbf)}`,
    );
  }
}

function goTime(seconds: number): string {
  const text = formatTime(Math.floor(seconds) * 1000);
  return `${text.slice(0, 10)} ${text.slice(11, 19)} +0000 UTC`;
}

function checkAudience(issuer: JwtIssuer, claims: Jws['claims']): void {
  const given = [claims['aud']].flat().filter((one) => typeof one === 'string');
  if (issuer.audiences.some((audience) => given.includes(audience))) return;
  throw new Error(
    `oidc: verify token: oidc: expected audience in ${quoted([...issuer.audiences].sort())} got ${quoted(given)}`,
  );
}

function quoted(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;
}
