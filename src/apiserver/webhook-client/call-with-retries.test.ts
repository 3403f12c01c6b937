import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { WebhookCallError } from './call-error.ts';
import { callWithRetries } from './call-with-retries.ts';

const failing = (init: { statusCode?: number; code?: string; isTimeout?: boolean }) =>
  new WebhookCallError('failed', { ...init, cause: { code: init.code } });

for (const [name, failure, tries] of [
  ['refuses connections', { code: 'ECONNREFUSED' }, 1],
  ['takes too long', { isTimeout: true }, 1],
  ['is not allowed', { statusCode: 403 }, 1],
  ['is not there', { statusCode: 503 }, 1],
  ['breaks the connection', { code: 'ECONNRESET' }, 5],
  ['has too much to do', { statusCode: 429 }, 5],
  ['fails', { statusCode: 500 }, 5],
] as const) {
  test(`a webhook that ${name} is asked ${tries === 1 ? 'once' : 'five times'}`, async () => {
    const clock = new FakeClock();
    let asked = 0;
    const client = {
      async call() {
        asked++;
        throw failing(failure);
      },
      close: () => undefined,
    };
    const config = { url: 'https://hook' };
    const call = callWithRetries({ client, config, body: {}, timeoutMs: 1000, clock });
    const ended = assert.rejects(call, /failed/);
    for (let i = 0; i < 5; i++) await clock.advance(2000);
    await ended;
    assert.equal(asked, tries);
  });
}
