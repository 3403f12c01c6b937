import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '#base/clock.ts';
import { bearerToken, certificateUser, reviewToken } from '#client/mod.ts';
import type { Client, RequestUser } from '#client/mod.ts';
import { ExpiringCache } from './expiring-cache.ts';

/** Undefined when nobody trustworthy asks. Rejects when the API server cannot be asked. */
export type AuthenticateRequest = (request: IncomingMessage) => Promise<RequestUser | undefined>;

const tokenLifetimeMs = 2 * 60_000;
const maxTokens = 1000;

/**
 * Client certificates of the cluster's client authority (checked by TLS, purpose and time
 * included), else bearer tokens by TokenReview. There are no anonymous users.
 */
export function createRequestAuthenticator(options: {
  client: Client;
  clock: Clock;
  tokenCacheMs?: number | undefined;
}): AuthenticateRequest {
  const { tokenCacheMs = tokenLifetimeMs } = options;
  const users = new ExpiringCache<RequestUser | false>({
    clock: options.clock,
    capacity: maxTokens,
  });
  return async (request) => {
    const ofCertificate = certificateUser(request);
    if (ofCertificate !== undefined) return ofCertificate;
    const token = bearerToken(request);
    if (token === undefined) return undefined;
    const key = createHash('sha256').update(token).digest('base64');
    const known = users.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    const user = await reviewToken(options.client, token);
    users.set(key, user ?? false, tokenCacheMs);
    return user;
  };
}
