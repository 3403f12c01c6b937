import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';

import type { Secret } from '#schema/types.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { UserInfo } from '../request.ts';
import type { Authenticated, Authenticator } from './authenticator.ts';
import { unauthorized } from './failures.ts';
import { bearerToken } from './headers.ts';
import type { Claims } from './service-account-claims.ts';
import {
  legacyIssuer,
  timeRefusal,
  userOfClaims,
  userOfLegacyClaims,
} from './service-account-claims.ts';
import { createTokenUseMeter } from './token-use.ts';

/** Tokens whose signature is remembered; the one used longest ago is forgotten first. */
const maxRemembered = 4096;

/** Checks the signature of a token and nothing else; rejects when no key fits. */
export interface TokenVerifier {
  verify(token: string): Promise<Claims>;
}

export interface ServiceAccountTokenOptions {
  readonly clock: Clock;
  readonly reader: ObjectReader;
  readonly verifier: TokenVerifier;
  /** --service-account-issuer; the first one signs, all are accepted. */
  readonly issuers: readonly string[];
  /** --api-audiences. */
  readonly audiences: readonly string[];
  readonly metrics?: MetricRegistry | undefined;
  /** Told of each use of a token that a Secret holds. */
  readonly noteUse?: ((secret: Secret) => void) | undefined;
}

/** Answers TokenReview too, which may ask for other audiences than the server's own. */
export interface ServiceAccountTokenAuthenticator extends Authenticator {
  authenticateToken(
    token: string,
    audiences?: readonly string[],
  ): Promise<Authenticated | undefined>;
}

/**
 * Tokens of service accounts, bound (TokenRequest) and legacy (Secret). A signature is checked
 * once; times, audiences and the objects that a token is tied to are looked at on every request.
 */
export function createServiceAccountTokenAuthenticator(
  options: ServiceAccountTokenOptions,
): ServiceAccountTokenAuthenticator {
  const remembered = new Map<string, Claims>();
  // One UserInfo a token, so that what others remember by user stays good across requests.
  const users = new WeakMap<Claims, UserInfo>();
  const issuers = new Set([...options.issuers, legacyIssuer]);
  const meter = createTokenUseMeter(options);

  async function claimsOf(token: string): Promise<Claims> {
    let claims = remembered.get(token);
    if (claims === undefined) {
      claims = await options.verifier.verify(token);
    } else {
      remembered.delete(token);
    }
    remembered.set(token, claims);
    if (remembered.size > maxRemembered) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    return claims;
  }

  async function authenticateToken(
    token: string,
    audiences: readonly string[] = options.audiences,
  ): Promise<Authenticated | undefined> {
    const issuer = issuerOf(token);
    if (issuer === undefined || !issuers.has(issuer)) return undefined;
    let claims: Claims;
    try {
      claims = await claimsOf(token);
    } catch (error) {
      throw unauthorized('invalid bearer token', error);
    }
    const accepted = acceptedAudiences(claims, audiences, options.audiences);
    const nowMs = options.clock.now();
    const tooEarlyOrLate = timeRefusal(claims, nowMs);
    if (tooEarlyOrLate !== undefined) {
      remembered.delete(token);
      throw unauthorized(tooEarlyOrLate);
    }
    const isLegacy = claims['iss'] === legacyIssuer;
    const found = isLegacy
      ? userOfLegacyClaims(options.reader, claims, token, options.noteUse)
      : await userOfClaims(options.reader, claims, nowMs);
    if (typeof found === 'string') throw unauthorized(found);
    const user = users.get(claims) ?? found;
    users.set(claims, user);
    const use = isLegacy
      ? meter.legacyUsed(claims, user.name)
      : meter.boundUsed(claims, user.name, nowMs);
    return { user, audiences: accepted, ...use };
  }

  return {
    authenticateToken,
    async authenticate(credentials) {
      const token = bearerToken(credentials);
      return token === undefined ? undefined : await authenticateToken(token);
    },
  };
}

/**
 * The audiences asked for that the token is for; a legacy token is for the server's own. Throws
 * Unauthorized when there is none.
 */
function acceptedAudiences(
  claims: Claims,
  asked: readonly string[],
  own: readonly string[],
): string[] {
  const { aud } = claims;
  const inToken = aud === undefined ? own : Array.isArray(aud) ? (aud as unknown[]) : [aud];
  const accepted = asked.filter((audience) => inToken.includes(audience));
  if (accepted.length > 0) return accepted;
  throw unauthorized(
    `token audiences ${quoted(inToken)} is invalid for the target audiences ${quoted(asked)}`,
  );
}

function quoted(texts: readonly unknown[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;
}

/** Reads `iss` without trusting it, to leave other issuers' tokens alone. */
function issuerOf(token: string): string | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    const issuer = (payload as { iss?: unknown } | null)?.iss;
    return typeof issuer === 'string' ? issuer : undefined;
  } catch {
    // Not a JWT: another authenticator's business.
    return undefined;
  }
}
