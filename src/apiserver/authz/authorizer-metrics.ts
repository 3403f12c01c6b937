import type { Clock } from '#base/clock.ts';
import type { Counter, MetricRegistry } from '#base/metrics.ts';
import type { Authorizer } from './authorizer.ts';
import type { MemoryAuthorizer, Verdict } from './verdict.ts';

/** What became of a question to a webhook. */
export type WebhookResult = 'success' | 'timeout' | 'error';

/** Told what a webhook authorizer does. */
export interface WebhookMeter {
  conditions(startMs: number, outcome: 'met' | 'excluded' | 'error'): void;
  asked(startMs: number, result: WebhookResult): void;
  /** A failure that left the decision to others. */
  failedOpen(result: WebhookResult): void;
}

interface Named {
  /** As in --authorization-mode. */
  readonly type: string;
  readonly name: string;
}

/** Counts decisions under upstream's name; who has no opinion is not counted. */
export function countDecisions<T extends Authorizer | MemoryAuthorizer>(
  authorizer: T,
  registry: MetricRegistry,
  { type, name }: Named,
): T {
  const decisions = registry.counter({
    name: 'apiserver_authorization_decisions_total',
    help: 'Decisions of authorizers: allowed or denied.',
    stability: 'ALPHA',
    labels: ['decision', 'name', 'type'],
  });
  // looked up once: every request comes by
  let allowed: Counter | undefined;
  let denied: Counter | undefined;
  const count = (verdict: Verdict): Verdict => {
    if (verdict.decision === 'allow') (allowed ??= decisions.with('allowed', name, type)).value++;
    else if (verdict.decision === 'deny') (denied ??= decisions.with('denied', name, type)).value++;
    return verdict;
  };
  return {
    ...authorizer,
    authorize: async (request) => count(await authorizer.authorize(request)),
    ...('decide' in authorizer
      ? {
          decide: (request: Parameters<MemoryAuthorizer['decide']>[0]) =>
            count(authorizer.decide(request)),
        }
      : {}),
  };
}

/** Upstream's metrics of webhook authorizers and their match conditions. */
export function createWebhookMeter(
  registry: MetricRegistry,
  clock: Clock,
  name: string,
): WebhookMeter {
  const counter = (metric: string, help: string, labels: readonly string[]) =>
    registry.counter({
      name: `apiserver_authorization_${metric}`,
      help,
      stability: 'ALPHA',
      labels,
    });
  const histogram = (metric: string, help: string, second: string, buckets: readonly number[]) =>
    registry.histogram({
      name: `apiserver_authorization_${metric}`,
      help,
      stability: 'ALPHA',
      labels: ['name', second],
      buckets,
    });
  const byResult = ['name', 'result'];
  const byType = ['name', 'type'];
  const total = counter('webhook_evaluations_total', 'Questions to webhooks.', byResult);
  const open = counter(
    'webhook_evaluations_fail_open_total',
    'Questions that failed and left the decision to others.',
    byResult,
  );
  const seconds = histogram(
    'webhook_duration_seconds',
    'Time that questions to webhooks take.',
    'result',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  const excluded = counter(
    'match_condition_exclusions_total',
    'Requests that conditions kept from a webhook.',
    byType,
  );
  const failed = counter(
    'match_condition_evaluation_errors_total',
    'Conditions that could not be evaluated.',
    byType,
  );
  const conditionSeconds = histogram(
    'match_condition_evaluation_seconds',
    'Time that the conditions of a webhook take.',
    'type',
    [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25],
  );
  const type = 'Webhook';
  const since = (startMs: number): number => (clock.monotonicMs() - startMs) / 1000;
  return {
    conditions(startMs, outcome) {
      conditionSeconds.with(name, type).observe(since(startMs));
      if (outcome === 'excluded') excluded.with(name, type).value++;
      if (outcome === 'error') failed.with(name, type).value++;
    },
    asked(startMs, result) {
      total.with(name, result).value++;
      seconds.with(name, result).observe(since(startMs));
    },
    failedOpen: (result) => void open.with(name, result).value++,
  };
}
