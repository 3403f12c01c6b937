import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { HttpClient } from '#client/mod.ts';

import type { AuditBackend } from './audit-backend.ts';
import type { AuditEvent } from './event.ts';

const attempts = 5;
const backoffFactor = 1.5;
const callTimeoutMs = 30_000;

/** POSTs an EventList to the server of a kubeconfig; tries again what may pass. */
export function createWebhookSender(options: {
  client: HttpClient;
  clock: Clock;
  initialBackoffMs: number;
}): (events: readonly AuditEvent[]) => Promise<void> {
  const { client, clock, initialBackoffMs } = options;
  return async (events) => {
    const items = events.map(({ kind: _kind, apiVersion: _version, ...event }) => event);
    const body = Buffer.from(
      JSON.stringify({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items }),
    );
    let delayMs = initialBackoffMs;
    for (let attempt = 1; ; attempt++) {
      const problem = await post(client, clock, body);
      if (problem === undefined) return;
      if (!problem.mayPass || attempt === attempts) throw problem.error;
      await clock.sleep(delayMs);
      delayMs *= backoffFactor;
    }
  };
}

async function post(
  client: HttpClient,
  clock: Clock,
  body: Buffer,
): Promise<{ error: Error; mayPass: boolean } | undefined> {
  const limit = new AbortController();
  const timer = clock.after(callTimeoutMs, () => limit.abort());
  try {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json' };
    const answer = await client.raw({
      method: 'POST',
      path: '',
      headers,
      body,
      signal: limit.signal,
    });
    if (answer.status >= 200 && answer.status < 300) return undefined;
    const error = new K3tsError('AuditWebhook', `the audit webhook answered ${answer.status}`);
    return { error, mayPass: answer.status === 429 || answer.status >= 500 };
  } catch (error) {
    const cause = new K3tsError('AuditWebhook', messageOf(error), { cause: error });
    return { error: cause, mayPass: true };
  } finally {
    timer.cancel();
  }
}

/** Sends each event by itself while its request waits: the blocking modes of the webhook. */
export function createBlockingWebhook(options: {
  send: (events: readonly AuditEvent[]) => Promise<void>;
  isStrict: boolean;
  log: Logger;
  onError: () => void;
}): AuditBackend {
  const { send, isStrict, log, onError } = options;
  return {
    async write(events) {
      try {
        await send(events);
      } catch (error) {
        onError();
        log.error('Cannot send audit events', { error: messageOf(error) });
        if (isStrict) throw error;
      }
    },
    close: () => Promise.resolve(),
  };
}
