import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import type { Secret } from '#schema/types.ts';
import { createLegacyTokenUse, invalidSecret } from './legacy-tokens.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const secret = (labels: Record<string, string> = {}): Secret => ({
  metadata: { name: 's', namespace: 'ns', labels },
});

describe('tokens of Secrets', () => {
  it('their use is noted once a day', async () => {
    const clock = new FakeClock(Date.parse('2026-11-21T23:00:00Z'));
    const written: unknown[] = [];
    const client = {
      patch: async (_resource: unknown, name: string, patch: { body: unknown }) => {
        written.push([name, patch.body]);
      },
    } as unknown as Client;
    const use = createLegacyTokenUse({ client, clock, log: silentLogger });
    use.note(secret());
    use.note(secret());
    await turn();
    const label = 'kubernetes.io/legacy-token-last-used';
    assert.deepEqual(written, [['s', { metadata: { labels: { [label]: '2026-11-21' } } }]]);
    use.note(secret({ [label]: '2026-11-21' }));
    await clock.advance(3_600_000);
    use.note(secret({ [label]: '2026-11-21' }));
    await turn();
    assert.equal(written.length, 2);
  });

  it('a marked one is refused', () => {
    assert.equal(invalidSecret(secret(), 'app'), undefined);
    const marked = secret({ 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' });
    assert.match(
      invalidSecret(marked, 'app') ?? '',
      /^the token in secret ns\/s for service account ns\/app has been marked invalid\. Use tokens/,
    );
  });
});
