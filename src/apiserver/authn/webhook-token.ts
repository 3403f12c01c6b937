import { createHash } from 'node:crypto';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { TokenReview } from '#schema/types.ts';
import { callWithRetries } from '../webhook-client/mod.ts';
import type { WebhookClient, WebhookClientConfig } from '../webhook-client/mod.ts';
import type { Authenticated } from './authenticator.ts';
import { unauthorized } from './failures.ts';
import type { TokenAuthenticator } from './token-authenticator.ts';

/** Versions of reviews that webhooks may speak; both have the same fields. */
type ReviewVersion = 'v1' | 'v1beta1';

const requestTimeoutMs = 30_000;
const maxRemembered = 4096;

export interface WebhookTokenOptions {
  readonly client: WebhookClient;
  readonly config: WebhookClientConfig;
  /** --authentication-token-webhook-cache-ttl. */
  readonly cacheTtlMs: number;
  /** --api-audiences. */
  readonly audiences: () => readonly string[];
  /** Of the TokenReview that is sent. */
  readonly version: ReviewVersion;
  readonly clock: Clock;
}

/**
 * Asks a webhook whose token it is (TokenReview). Answers are remembered, refusals too, but not
 * errors; a webhook that cannot be asked makes the token a wrong one.
 */
export function createWebhookTokenAuthenticator(options: WebhookTokenOptions): TokenAuthenticator {
  const { client, config, cacheTtlMs, clock } = options;
  const remembered = new Map<string, { untilMs: number; status: TokenReview['status'] }>();
  const pending = new Map<string, Promise<TokenReview['status']>>();

  async function ask(token: string, audiences: readonly string[]): Promise<TokenReview['status']> {
    const body: object = {
      kind: 'TokenReview',
      apiVersion: `authentication.k8s.io/${options.version}`,
      metadata: {},
      spec: { token, ...(audiences.length === 0 ? {} : { audiences }) },
      status: { user: {} },
    };
    const timeoutMs = requestTimeoutMs;
    const answer = await callWithRetries({ client, config, body, timeoutMs, clock });
    return (answer as TokenReview | null)?.status;
  }

  async function statusOf(
    token: string,
    audiences: readonly string[],
  ): Promise<TokenReview['status']> {
    const key = createHash('sha256')
      .update(JSON.stringify([token, audiences]))
      .digest('base64');
    const known = remembered.get(key);
    if (known !== undefined && clock.monotonicMs() < known.untilMs) return known.status;
    let asked = pending.get(key);
    if (asked === undefined) {
      asked = ask(token, audiences).finally(() => pending.delete(key));
      pending.set(key, asked);
    }
    const status = await asked;
    if (errorIn(status) !== '') return status;
    remembered.delete(key);
    remembered.set(key, { untilMs: clock.monotonicMs() + cacheTtlMs, status });
    if (remembered.size > maxRemembered) {
      const [oldest] = remembered.keys();
      if (oldest !== undefined) remembered.delete(oldest);
    }
    return status;
  }

  return {
    async authenticateToken(token, audiences) {
      let status: TokenReview['status'];
      try {
        status = await statusOf(token, audiences);
      } catch (error) {
        throw unauthorized(messageOf(error), error);
      }
      const error = errorIn(status);
      if (error !== '') throw unauthorized(error);
      if (status?.authenticated !== true) return undefined;
      return found(status, audiences, options.audiences());
    },
  };
}

function found(
  status: NonNullable<TokenReview['status']>,
  asked: readonly string[],
  own: readonly string[],
): Authenticated | undefined {
  // A webhook that says nothing of audiences speaks for this server's own.
  const said = status.audiences ?? [];
  const given = said.length === 0 ? own : said;
  const audiences = asked.filter((audience) => given.includes(audience));
  if (asked.length > 0 && audiences.length === 0) return undefined;
  const { username = '', uid = '', groups = [], extra } = status.user ?? {};
  return {
    user: { name: username, uid: uid === '' ? undefined : uid, groups, extra },
    audiences,
  };
}

/** What the webhook has against the token; what it tells beside a user does not count. */
function errorIn(status: TokenReview['status']): string {
  return status?.authenticated === true ? '' : (status?.error ?? '');
}
