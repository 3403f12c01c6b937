import { readFile } from 'node:fs/promises';

import type {
  AuditBackend,
  AuditEvent,
  Auditor,
  AuditPolicy,
  LineSink,
} from '#apiserver/audit/mod.ts';
import {
  createAuditor,
  createBatches,
  createBlockingWebhook,
  createLogBackend,
  createWebhookSender,
  joinBackends,
  parseAuditPolicy,
  truncateEvents,
} from '#apiserver/audit/mod.ts';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import { createKubeconfigClient } from '#client/mod.ts';
import { RotatingFile } from '#host/rotating-file.ts';
import type { ApiServerArgs } from './api-server-args/mod.ts';

export interface ApiAuditOptions {
  readonly args: ApiServerArgs;
  readonly clock: Clock;
  readonly log: Logger;
}

type Kind = 'log' | 'webhook';

/**
 * The audit that the arguments ask for; undefined for none. Opens the policy, the log and the
 * webhook's kubeconfig: what is wrong with them is thrown as `Usage`.
 */
export async function createApiAudit(
  options: ApiAuditOptions,
): Promise<((metrics: MetricRegistry) => Auditor) | undefined> {
  const { args, clock } = options;
  const policyFile = args.text('audit-policy-file');
  const hasLog = args.text('audit-log-path') !== '';
  const hasWebhook = args.text('audit-webhook-config-file') !== '';
  // Also when nobody would get the events: a file that cannot be used is a mistake.
  const policy = policyFile === '' ? undefined : await readPolicy(policyFile);
  if (policy === undefined || (!hasLog && !hasWebhook)) {
    if (policyFile !== '' || hasLog || hasWebhook) {
      options.log.warning('Nothing is audited: a policy file and a backend are needed', {
        policyFile,
      });
    }
    return undefined;
  }
  const errors: Record<Kind, number> = { log: 0, webhook: 0 };
  const backends: AuditBackend[] = [];
  if (hasLog) backends.push(await logBackend(options, () => errors.log++));
  if (hasWebhook) backends.push(await webhookBackend(options, () => errors.webhook++));
  return (metrics) => {
    const failures = metrics.counter({
      name: 'apiserver_audit_error_total',
      help: 'Audit events that could not be written, by backend.',
      stability: 'ALPHA',
      labels: ['plugin'],
    });
    metrics.onCollect(() => {
      for (const kind of ['log', 'webhook'] as const) failures.with(kind).value = errors[kind];
    });
    return createAuditor({ policy, backend: joinBackends(backends), clock, metrics });
  };
}

async function logBackend(
  { args, clock, log }: ApiAuditOptions,
  onError: () => void,
): Promise<AuditBackend> {
  const sink = await openSink(args, clock);
  const mode = args.text('audit-log-mode');
  const format = args.text('audit-log-format') === 'legacy' ? 'legacy' : 'json';
  const isStrict = mode === 'blocking-strict';
  const lines = createLogBackend({
    sink,
    format,
    mode: isStrict ? 'blocking-strict' : 'blocking',
    log,
    onError,
  });
  const whole = truncating('log', args, lines);
  if (mode !== 'batch') return whole;
  const batches = createBatches({
    batch: batchOptions('log', args),
    clock,
    deliver: async (events) => {
      await whole.write(events);
    },
    onDrop: () => onError(),
  });
  return {
    write: (events) => batches.write(events),
    async close() {
      await batches.close();
      await whole.close();
    },
  };
}

async function openSink(args: ApiServerArgs, clock: Clock): Promise<LineSink> {
  const path = args.text('audit-log-path');
  if (path === '-') {
    return {
      write: (text) =>
        new Promise((resolve, reject) => {
          process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
        }),
      close: () => Promise.resolve(),
    };
  }
  const file = new RotatingFile({
    path,
    maxSizeMegabytes: args.integer('audit-log-maxsize'),
    maxBackups: args.integer('audit-log-maxbackup'),
    maxAgeDays: args.integer('audit-log-maxage'),
    isCompressed: args.boolean('audit-log-compress'),
    now: () => clock.now(),
  });
  try {
    await file.open();
  } catch (error) {
    throw usage(`ensureLogFile: ${messageOf(error)}`, error);
  }
  return file;
}

async function webhookBackend(
  { args, clock, log }: ApiAuditOptions,
  onError: () => void,
): Promise<AuditBackend> {
  const file = args.text('audit-webhook-config-file');
  const send = createWebhookSender({
    client: await openClient(file, { clock, log, userAgent: 'k3ts-audit' }),
    clock,
    initialBackoffMs: args.durationMs('audit-webhook-initial-backoff'),
  });
  const mode = args.text('audit-webhook-mode');
  const isStrict = mode === 'blocking-strict';
  const direct = createBlockingWebhook({ send, isStrict, log, onError });
  if (mode !== 'batch') return truncating('webhook', args, direct);
  const batches = createBatches({
    batch: batchOptions('webhook', args),
    clock,
    deliver: async (events) => {
      await direct.write(events);
    },
    onDrop: () => onError(),
  });
  return truncating('webhook', args, batches);
}

async function openClient(
  file: string,
  options: Parameters<typeof createKubeconfigClient>[1],
): ReturnType<typeof createKubeconfigClient> {
  try {
    return await createKubeconfigClient(file, options);
  } catch (error) {
    throw usage(`initializing audit webhook: ${file}: ${messageOf(error)}`, error);
  }
}

function truncating(kind: Kind, args: ApiServerArgs, inner: AuditBackend): AuditBackend {
  if (!args.boolean(`audit-${kind}-truncate-enabled`)) return inner;
  const limits = {
    maxEventBytes: args.integer(`audit-${kind}-truncate-max-event-size`),
  };
  return {
    write: (events: readonly AuditEvent[]) => inner.write(truncateEvents(events, limits)),
    close: () => inner.close(),
  };
}

function batchOptions(
  kind: Kind,
  args: ApiServerArgs,
): Parameters<typeof createBatches>[0]['batch'] {
  return {
    bufferSize: args.integer(`audit-${kind}-batch-buffer-size`),
    maxSize: args.integer(`audit-${kind}-batch-max-size`),
    maxWaitMs: args.durationMs(`audit-${kind}-batch-max-wait`),
    throttle: args.boolean(`audit-${kind}-batch-throttle-enable`)
      ? {
          perSecond: args.number(`audit-${kind}-batch-throttle-qps`),
          burst: args.integer(`audit-${kind}-batch-throttle-burst`),
        }
      : undefined,
  };
}

async function readPolicy(file: string): Promise<AuditPolicy> {
  const fail = (why: string, cause: unknown): K3tsError =>
    usage(`loading audit policy file: ${why}`, cause);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fail(`failed to read file path ${JSON.stringify(file)}: ${messageOf(error)}`, error);
  }
  try {
    return parseAuditPolicy(text, file);
  } catch (error) {
    throw fail(messageOf(error), error);
  }
}

function usage(message: string, cause: unknown): K3tsError {
  return new K3tsError('Usage', message, { cause });
}
