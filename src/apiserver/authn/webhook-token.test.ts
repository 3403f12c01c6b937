import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { createWebhookTokenAuthenticator } from './webhook-token.ts';

const bodies: unknown[] = [];

function setUp(...answers: object[]) {
  const clock = new FakeClock();
  let asked = 0;
  const authenticator = createWebhookTokenAuthenticator({
    client: {
      async call(_config, body) {
        bodies.push(body);
        const status = answers[Math.min(asked++, answers.length - 1)];
        return { status };
      },
      close: () => undefined,
    },
    config: { url: 'https://hook' },
    cacheTtlMs: 60_000,
    audiences: () => ['api'],
    version: 'v1beta1',
    clock,
  });
  return { clock, authenticator, asked: () => asked };
}

describe('a webhook for tokens', () => {
  it('is believed about a user also when it tells of an error', async () => {
    const { authenticator } = setUp({
      authenticated: true,
      user: { username: 'jane' },
      error: 'half of the groups are missing',
    });
    const found = await authenticator.authenticateToken('t', []);
    assert.equal(found?.user.name, 'jane');
    const { apiVersion } = bodies.at(-1) as { apiVersion: string };
    assert.equal(apiVersion, 'authentication.k8s.io/v1beta1');
  });

  it('is asked again for a token that it had an error with, not for one it does not know', async () => {
    const odd = setUp({ authenticated: false, error: 'no good' });
    for (let i = 0; i < 2; i++) {
      await assert.rejects(odd.authenticator.authenticateToken('t', []), { httpCode: 401 });
    }
    assert.equal(odd.asked(), 2);
    const unknown = setUp({ authenticated: false });
    assert.equal(await unknown.authenticator.authenticateToken('t', []), undefined);
    assert.equal(await unknown.authenticator.authenticateToken('t', []), undefined);
    assert.equal(unknown.asked(), 1);
    await unknown.clock.advance(61_000);
    await unknown.authenticator.authenticateToken('t', []);
    assert.equal(unknown.asked(), 2);
  });
});
