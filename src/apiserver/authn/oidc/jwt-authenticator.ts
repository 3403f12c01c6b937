import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Authenticated } from '../authenticator.ts';
import { unauthorized } from '../failures.ts';
import { userOfClaims } from './claims-to-user.ts';
import { createClaimSources } from './claim-sources.ts';
import { splitJws } from './jws.ts';
import type { Jws } from './jws.ts';
import type { JwtIssuer } from './jwt-issuer.ts';
import { createTokenVerifier } from './token-verifier.ts';

/** How long a good token is not looked at again, and how many are remembered. */
const rememberedMs = 10_000;
const maxRemembered = 4096;

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
  const check = createTokenVerifier({ issuer, clock });
  const claimSources = createClaimSources({ issuer, clock });
  const remembered = new Map<string, { untilMs: number; found: Authenticated }>();

  async function verify(jws: Jws): Promise<Authenticated> {
    try {
      await check(jws);
    } catch (error) {
      throw new Error(`oidc: verify token: ${messageOf(error)}`, { cause: error });
    }
    const claims = await claimSources.complete(jws.claims);
    return { user: userOfClaims(issuer, claims) };
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
