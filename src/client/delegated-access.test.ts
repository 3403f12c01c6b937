import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { bearerToken, certificateUser } from './delegated-access.ts';

function requestWith(parts: {
  subject?: Record<string, unknown>;
  authorized?: boolean;
  authorization?: string;
}): IncomingMessage {
  const { subject, authorized = true, authorization } = parts;
  const socket = { authorized, getPeerCertificate: () => ({ subject }) };
  return { socket, headers: { authorization } } as unknown as IncomingMessage;
}

test('a certificate names a user, who is then one of those that are known', () => {
  const found = certificateUser(requestWith({ subject: { CN: ['a', 'b'], O: 'admins' } }));
  assert.deepEqual(found, { name: 'b', groups: ['admins', 'system:authenticated'] });
  assert.equal(certificateUser(requestWith({ subject: { O: 'admins' } })), undefined);
  assert.equal(
    certificateUser(requestWith({ subject: { CN: 'a' }, authorized: false })),
    undefined,
  );
});

test('a bearer token is found whatever the spelling of its scheme', () => {
  assert.equal(bearerToken(requestWith({ authorization: 'bEARER  abc' })), 'abc');
  assert.equal(bearerToken(requestWith({ authorization: 'Basic abc' })), undefined);
  assert.equal(bearerToken(requestWith({})), undefined);
});
