import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seededRandom } from '#base/random.ts';
import { generateToken, secretOf, splitToken, tokenId, tokenOf } from './bootstrap-token.ts';
import type { BootstrapToken } from './bootstrap-token.ts';
import { renderTokens, renderTokensJson, shortDuration } from './list-tokens.ts';

const nowMs = Date.parse('2026-05-01T12:00:00Z');
const token: BootstrapToken = {
  id: 'abcdef',
  secret: '0123456789abcdef',
  description: 'for the attic',
  expiresMs: nowMs + 24 * 3600_000,
  usages: ['authentication', 'signing'],
  groups: ['system:bootstrappers:k3s:default-node-token'],
};
const endless: BootstrapToken = {
  ...token,
  id: 'zzzzzz',
  description: '',
  expiresMs: undefined,
  usages: [],
  groups: [],
};

test('a generated token has the form that servers take', () => {
  const text = generateToken(seededRandom(1));
  assert.match(text, /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
  assert.equal(tokenId(text), text.slice(0, 6));
});

test('tokens are read short, long and in full', () => {
  const full = `K10${'a'.repeat(64)}::abcdef.0123456789abcdef`;
  for (const text of ['abcdef', 'abcdef.0123456789abcdef', full, 'K10::abcdef.0123456789abcdef']) {
    assert.equal(tokenId(text), 'abcdef', text);
  }
  for (const text of ['', 'ABCDEF', 'abcdef.short', 'x'.repeat(40)]) {
    assert.throws(() => splitToken(text), { code: 'Usage', message: /was not of the form/ });
  }
});

test('a token survives its Secret', () => {
  const secret = secretOf(token);
  assert.equal(secret.metadata.name, 'bootstrap-token-abcdef');
  assert.equal(secret.type, 'bootstrap.kubernetes.io/token');
  assert.equal(
    Buffer.from(secret.data?.['expiration'] ?? '', 'base64').toString(),
    '2026-05-02T12:00:00Z',
  );
  assert.deepEqual(tokenOf(secret), token);
  assert.deepEqual(tokenOf(secretOf(endless)), endless);
});

test('what no server would accept is refused before it is sent', () => {
  assert.throws(() => secretOf({ ...token, usages: ['cooking'] }), {
    message:
      'invalid bootstrap token usage string: cooking, valid usage options: signing, authentication',
  });
  assert.throws(() => secretOf({ ...token, groups: ['admins'] }), {
    message: /^bootstrap group "admins" is invalid \(must match /,
  });
  const spoiled = { ...secretOf(token), metadata: { name: 'other' } };
  assert.throws(() => tokenOf(spoiled), { code: 'BadToken', message: /"other"/ });
});

test('the table shows no secrets, JSON does', () => {
  assert.equal(
    renderTokens([token, endless], nowMs),
    [
      'TOKEN     TTL         EXPIRES                USAGES                   DESCRIPTION     EXTRA GROUPS',
      'abcdef    1d          2026-05-02T12:00:00Z   authentication,signing   for the attic   system:bootstrappers:k3s:default-node-token',
      'zzzzzz    <forever>   <never>                <none>                   <none>          <none>',
      '',
    ].join('\n'),
  );
  assert.deepEqual(JSON.parse(renderTokensJson([token, endless])), [
    {
      token: 'abcdef.0123456789abcdef',
      description: 'for the attic',
      expires: '2026-05-02T12:00:00Z',
      usages: ['authentication', 'signing'],
      groups: ['system:bootstrappers:k3s:default-node-token'],
    },
    { token: 'zzzzzz.0123456789abcdef' },
  ]);
});

test('a short duration has one unit', () => {
  const cases: [number, string][] = [
    [-5000, '<invalid>'],
    [-1000, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3600_000, '1h'],
    [86_399_000, '23h'],
    [86_400_000, '1d'],
    [366 * 86_400_000, '1y'],
  ];
  for (const [durationMs, text] of cases) assert.equal(shortDuration(durationMs), text);
});
