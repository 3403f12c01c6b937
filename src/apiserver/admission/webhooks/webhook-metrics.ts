import { ApiStatusError } from '#base/api-status-error.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { WebhookCallError } from '../../webhook-client/mod.ts';
import { WebhookFailure } from './webhook-errors.ts';

/** One call of a webhook and how it ended. */
export interface WebhookObservation {
  readonly webhook: string;
  readonly type: 'admit' | 'validating';
  readonly operation: string;
  readonly seconds: number;
  /** What the call threw; undefined when the request may go on. */
  readonly error: unknown;
  readonly isFailOpen: boolean;
}

const secondsBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];

/** Counts and times calls of webhooks under upstream's metric names. */
export function createWebhookMetrics(
  registry: MetricRegistry,
): (observation: WebhookObservation) => void {
  const durations = registry.histogram({
    name: 'apiserver_admission_webhook_admission_duration_seconds',
    help: 'Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    stability: 'STABLE',
    labels: ['name', 'operation', 'rejected', 'type'],
    buckets: secondsBuckets,
  });
  const requests = registry.counter({
    name: 'apiserver_admission_webhook_request_total',
    help: 'Admission webhook request total, identified by name and broken out for each admission type and operation.',
    stability: 'ALPHA',
    labels: ['code', 'name', 'operation', 'rejected', 'type'],
  });
  const rejections = registry.counter({
    name: 'apiserver_admission_webhook_rejection_count',
    help: 'Admission webhook rejection count, identified by name and broken out for each admission type and operation.',
    stability: 'ALPHA',
    labels: ['error_type', 'name', 'operation', 'rejection_code', 'type'],
  });
  const failedOpen = registry.counter({
    name: 'apiserver_admission_webhook_fail_open_count',
    help: 'Admission webhook fail open count, identified by name and broken out for each admission type.',
    stability: 'ALPHA',
    labels: ['name', 'type'],
  });
  return ({ webhook, type, operation, seconds, error, isFailOpen }) => {
    const isFailure = error instanceof WebhookFailure;
    const isRejected = error !== undefined && !(isFailure && isFailOpen);
    const rejected = String(isRejected);
    const code = String(codeOf(error));
    durations.with(webhook, operation, rejected, type).observe(seconds);
    requests.with(code, webhook, operation, rejected, type).value++;
    if (isRejected) {
      const errorType = isFailure
        ? 'calling_webhook_error'
        : error instanceof ApiStatusError && error.reason !== 'InternalError'
          ? 'no_error'
          : 'apiserver_internal_error';
      rejections.with(errorType, webhook, operation, code, type).value++;
    } else if (isFailure) failedOpen.with(webhook, type).value++;
  };
}

function codeOf(error: unknown): number {
  if (error === undefined) return 200;
  if (error instanceof ApiStatusError) return error.httpCode;
  const cause = error instanceof Error ? (error.cause as Partial<WebhookCallError>) : undefined;
  return cause?.statusCode ?? 503;
}
