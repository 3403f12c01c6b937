import type { CelProgram } from '#cel/mod.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { SubjectAccessReview, SubjectAccessReviewSpec } from '#schema/types.ts';
import { callWithRetries } from '../../webhook-client/mod.ts';
import type { WebhookClient, WebhookClientConfig } from '../../webhook-client/mod.ts';
import type { AuthorizationRequest, Authorizer } from '../authorizer.ts';
import type { WebhookMeter, WebhookResult } from '../authorizer-metrics.ts';
import { reviewSpecOf } from '../review-spec.ts';
import { noOpinion } from '../verdict.ts';
import type { UserRules, Verdict } from '../verdict.ts';
import { matchConditions } from './match-conditions.ts';

/** Questions that are longer are not remembered: anybody could fill the memory with them. */
const maxKeyLength = 10_000;
const maxRemembered = 8192;

export interface WebhookAuthorizerOptions {
  /** For messages; `default` for the one of the flags. */
  readonly name: string;
  readonly client: WebhookClient;
  readonly config: WebhookClientConfig;
  readonly timeoutMs: number;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What a webhook that cannot be asked means. */
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  readonly conditions: readonly CelProgram[];
  /** Of the SubjectAccessReview that is sent. */
  readonly version: 'v1' | 'v1beta1';
  readonly meter?: WebhookMeter | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An authorizer that cannot list what a user may do. */
export interface WebhookAuthorizer extends Authorizer {
  rulesFor(): UserRules;
}

/** Asks a webhook (SubjectAccessReview), remembers its answers. */
export function createWebhookAuthorizer(options: WebhookAuthorizerOptions): WebhookAuthorizer {
  const { client, config, clock, log, name, meter, version } = options;
  const remembered = new Map<string, { untilMs: number; verdict: Verdict }>();

  async function ask(spec: SubjectAccessReviewSpec): Promise<SubjectAccessReview['status']> {
    const body: object = {
      kind: 'SubjectAccessReview',
      apiVersion: `authorization.k8s.io/${version}`,
      metadata: {},
      spec: version === 'v1' ? spec : olderSpec(spec),
      status: { allowed: false },
    };
    const { timeoutMs } = options;
    const answer = await callWithRetries({ client, config, body, timeoutMs, clock });
    return (answer as SubjectAccessReview | null)?.status;
  }

  function measuredMatch(request: AuthorizationRequest): ReturnType<typeof matchConditions> {
    if (options.conditions.length === 0) return { isMatch: true };
    const startMs = clock.monotonicMs();
    const found = matchConditions(options.conditions, request);
    const outcome = found.error !== undefined ? 'error' : found.isMatch ? 'met' : 'excluded';
    meter?.conditions(startMs, outcome);
    return found;
  }

  function failure(text: string, result?: WebhookResult): Verdict {
    log.warning('Webhook authorizer failed', { name, error: text });
    const decision = options.failurePolicy === 'Deny' ? 'deny' : 'no-opinion';
    if (decision === 'no-opinion' && result !== undefined) meter?.failedOpen(result);
    return { decision, reason: '', error: text };
  }

  return {
    async authorize(request: AuthorizationRequest): Promise<Verdict> {
      const { isMatch, error } = measuredMatch(request);
      if (error !== undefined) return failure(error);
      if (!isMatch) return noOpinion;
      const spec = reviewSpecOf(request);
      const key = JSON.stringify(spec);
      const known = remembered.get(key);
      if (known !== undefined && clock.monotonicMs() < known.untilMs) return known.verdict;
      let status: SubjectAccessReview['status'];
      const startMs = clock.monotonicMs();
      try {
        status = await ask(spec);
      } catch (problem) {
        const text = messageOf(problem);
        const result = text.includes('context deadline exceeded') ? 'timeout' : 'error';
        meter?.asked(startMs, result);
        return failure(text, result);
      }
      meter?.asked(startMs, 'success');
      if (status === undefined) return failure('the answer of the webhook has no status');
      const verdict = verdictOf(status);
      const { allowed } = status;
      const ttlMs = allowed ? options.authorizedTtlMs : options.unauthorizedTtlMs;
      if (ttlMs > 0 && key.length <= maxKeyLength) {
        remembered.delete(key);
        remembered.set(key, { untilMs: clock.monotonicMs() + ttlMs, verdict });
        if (remembered.size > maxRemembered) {
          const [oldest] = remembered.keys();
          if (oldest !== undefined) remembered.delete(oldest);
        }
      }
      return verdict;
    },
    rulesFor: () => ({
      rules: [],
      errors: ['webhook authorizer does not support user rule resolution'],
      incomplete: true,
    }),
  };
}

/** v1beta1 has groups under another name. */
function olderSpec({ groups, ...spec }: SubjectAccessReviewSpec): object {
  return groups === undefined ? spec : { ...spec, group: groups };
}

function verdictOf(status: NonNullable<SubjectAccessReview['status']>): Verdict {
  const { allowed, denied = false, reason = '' } = status;
  if (!denied) return { decision: allowed ? 'allow' : 'no-opinion', reason };
  if (!allowed) return { decision: 'deny', reason };
  const error = 'webhook subject access review returned both allow and deny response';
  return { decision: 'deny', reason, error };
}
