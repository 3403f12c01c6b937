import type { Clock } from '#base/clock.ts';
import type { WebhookClient } from './webhook-client.ts';
import type { WebhookClientConfig } from './webhook-target.ts';

/** Waits before the next try; the call is given up after the last. */
const retryWaitsMs = [500, 750, 1125, 1687];
const transientCodes: ReadonlySet<number> = new Set([429, 500, 504]);

/**
 * Asks a webhook, again when it failed in passing: a connection that broke, too many requests, an
 * error of the server. As upstream, one that refuses connections or takes too long is given up at
 * once. Throws the last failure.
 */
export async function callWithRetries(options: {
  client: WebhookClient;
  config: WebhookClientConfig;
  body: object;
  timeoutMs: number;
  clock: Clock;
}): Promise<unknown> {
  const { client, config, body, timeoutMs, clock } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await client.call(config, body, { timeoutMs });
    } catch (error) {
      const waitMs = retryWaitsMs[attempt];
      if (waitMs === undefined || !isTransient(error)) throw error;
      await clock.sleep(waitMs);
    }
  }
}

function isTransient(error: unknown): boolean {
  const { statusCode, cause } = error as { statusCode?: number; cause?: { code?: unknown } };
  if (statusCode !== undefined) return transientCodes.has(statusCode);
  return cause?.code === 'ECONNRESET';
}
