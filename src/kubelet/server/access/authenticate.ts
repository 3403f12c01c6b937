import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { TokenReview } from '#schema/types.ts';
import { ExpiringCache } from './expiring-cache.ts';

/** Who asks the kubelet. */
export interface KubeletUser {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
}

/** Undefined when nobody trustworthy asks. Rejects when the API server cannot be asked. */
export type AuthenticateRequest = (request: IncomingMessage) => Promise<KubeletUser | undefined>;

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
  const users = new ExpiringCache<KubeletUser | false>({
    clock: options.clock,
    capacity: maxTokens,
  });
  return async (request) => {
    const ofCertificate = certificateUser(request.socket as TLSSocket);
    if (ofCertificate !== undefined) return ofCertificate;
    const token = /^bearer +(\S+)$/i.exec(request.headers.authorization?.trim() ?? '')?.[1];
    if (token === undefined) return undefined;
    const key = createHash('sha256').update(token).digest('base64');
    const known = users.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    const user = await reviewToken(options.client, token);
    users.set(key, user ?? false, tokenCacheMs);
    return user;
  };
}

function certificateUser(socket: TLSSocket): KubeletUser | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate() as { subject?: Record<string, unknown> };
  const names = listOf(subject?.['CN']);
  // Of several common names the last counts, as in Go's pkix.Name.
  const name = names.at(-1);
  return name === undefined ? undefined : { name, groups: listOf(subject?.['O']) };
}

function listOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.map(String) : [];
}

async function reviewToken(client: Client, token: string): Promise<KubeletUser | undefined> {
  const { status } = await client.create<TokenReview>(resources.tokenReviews, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    metadata: { name: '' },
    spec: { token },
  });
  if (status?.authenticated !== true) return undefined;
  const { username = '', uid, groups = [] } = status.user ?? {};
  return { name: username, uid, groups };
}
