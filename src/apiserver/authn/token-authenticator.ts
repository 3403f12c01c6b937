import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Authenticated, Authenticator } from './authenticator.ts';
import { unauthorized } from './failures.ts';
import { bearerToken } from './headers.ts';

/** Says whose a bearer token is, for a request or for a TokenReview. */
export interface TokenAuthenticator {
  /**
   * `audiences` are those the caller wants the token for. Undefined when the token is not of this
   * kind; throws Unauthorized when it is, but is wrong. The answer names the audiences that fit.
   */
  authenticateToken(
    token: string,
    audiences: readonly string[],
  ): Promise<Authenticated | undefined>;
}

/**
 * Makes a token that knows no audiences good for this server's own: it is not asked about when the
 * caller wants others.
 */
export function forOwnAudiences(
  own: () => readonly string[],
  authenticate: (token: string) => Promise<Authenticated | undefined>,
): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const fitting = audiences.filter((audience) => own().includes(audience));
      if (audiences.length > 0 && fitting.length === 0) return undefined;
      const found = await authenticate(token);
      return found === undefined ? undefined : { ...found, audiences: fitting };
    },
  };
}

/** Asks one after the other; a wrong token is an error only when nobody else knows it. */
export function createTokenUnion(all: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    async authenticateToken(token, audiences) {
      const failures: unknown[] = [];
      for (const one of all) {
        try {
          const found = await one.authenticateToken(token, audiences);
          if (found !== undefined) return found;
        } catch (error) {
          if (!hasReason(error, 'Unauthorized')) throw error;
          failures.push(error);
        }
      }
      if (failures.length === 0) return undefined;
      throw joined(failures);
    },
  };
}

function joined(failures: readonly unknown[]): unknown {
  const why = new Set(failures.map((one) => messageOf(one instanceof Error ? one.cause : one)));
  return why.size === 1 ? failures[0] : unauthorized(`[${[...why].join(', ')}]`);
}

/**
 * Takes the token from the request; it has to be good for `audiences`. One that nobody knows is a
 * wrong one: who brings it is never a stranger.
 */
export function fromRequest(
  tokens: TokenAuthenticator,
  audiences: () => readonly string[],
): Authenticator {
  return {
    async authenticate(credentials) {
      const token = bearerToken(credentials);
      if (token === undefined) return undefined;
      const found = await tokens.authenticateToken(token, audiences());
      if (found === undefined) throw unauthorized('invalid bearer token');
      return found;
    },
  };
}
