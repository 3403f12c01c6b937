import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';

import { hasCode } from '#base/errors.ts';
import { seededRandom } from '#base/random.ts';
import {
  createAuthority,
  createEcKey,
  createRsaKey,
  createServiceAccountTokens,
  createSigningRequest,
  formatJoinToken,
  hashNodePassword,
  inspectCertificate,
  issueCertificate,
  parseJoinToken,
  publicKeyOfRequest,
  renewalReason,
  verifyNodePassword,
} from './mod.ts';

const random = seededRandom(1);
const nowMs = Date.UTC(2026, 10, 21);

async function authority(): Promise<{ certificatePem: string; keyPem: string }> {
  return await createAuthority({
    commonName: 'k3s-client-ca@1',
    keyPem: await createEcKey(),
    nowMs,
    serial: random.bytes(16),
  });
}

test('a leaf verifies against its authority and carries subject and names', async () => {
  const ca = await authority();
  const key = await createEcKey();
  assert.match(key, /^-----BEGIN EC PRIVATE KEY-----/);
  const leaf = await issueCertificate({
    authority: ca,
    commonName: 'system:node:a',
    organizations: ['system:nodes'],
    dnsNames: ['a', 'localhost'],
    ipAddresses: ['127.0.0.1', '::1'],
    purposes: ['client', 'server'],
    key,
    nowMs,
    serial: random.bytes(16),
  });
  const parsed = new X509Certificate(leaf);
  assert.ok(parsed.verify(new X509Certificate(ca.certificatePem).publicKey));
  assert.ok(parsed.checkIssued(new X509Certificate(ca.certificatePem)));
  assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
  const facts = inspectCertificate(leaf);
  assert.equal(facts.commonName, 'system:node:a');
  assert.deepEqual(facts.organizations, ['system:nodes']);
  assert.deepEqual(facts.dnsNames, ['a', 'localhost']);
  assert.equal(leaf.match(/BEGIN CERTIFICATE/g)?.length, 2);
});

test('a leaf is renewed when it ends soon, lacks a name or has another authority', async () => {
  const [ca, other, key] = [await authority(), await authority(), await createEcKey()];
  const wanted = {
    authorityPem: ca.certificatePem,
    commonName: 'k3s',
    organizations: ['k3s'],
    dnsNames: ['localhost'],
    ipAddresses: ['::1'],
    nowMs,
  };
  const leaf = await issueCertificate({
    authority: ca,
    commonName: 'k3s',
    organizations: ['k3s'],
    dnsNames: ['localhost'],
    ipAddresses: ['::1'],
    purposes: ['server'],
    key,
    nowMs,
    serial: random.bytes(16),
  });
  assert.equal(renewalReason(leaf, wanted), undefined);
  const later = { ...wanted, nowMs: nowMs + 250 * 24 * 3600 * 1000 };
  assert.equal(renewalReason(leaf, later), 'ends within 120 days');
  assert.equal(renewalReason(leaf, { ...wanted, dnsNames: ['b'] }), 'host name missing');
  assert.equal(renewalReason(leaf, { ...wanted, ipAddresses: ['1.2.3.4'] }), 'address missing');
  const stranger = { ...wanted, authorityPem: other.certificatePem };
  assert.equal(renewalReason(leaf, stranger), 'authority changed');
});

test('a signing request gives its public key, garbage is refused', async () => {
  const key = await createEcKey();
  const publicKey = await publicKeyOfRequest(await createSigningRequest(key));
  assert.equal(publicKey.asymmetricKeyType, 'ec');
  await assert.rejects(publicKeyOfRequest(Buffer.from('no')), (error) =>
    hasCode(error, 'BadRequest'),
  );
});

test('join tokens are read in all their forms', async () => {
  const ca = await authority();
  const full = formatJoinToken(ca.certificatePem, 'server', 'secret');
  assert.match(full, /^K10[0-9a-f]{64}::server:secret$/);
  assert.equal(parseJoinToken(`${full}\n`).password, 'secret');
  assert.deepEqual(parseJoinToken('mec@202106'), {
    caHash: '',
    username: '',
    password: 'mec@202106',
    bootstrapToken: undefined,
  });
  assert.equal(parseJoinToken('abcdef.0123456789abcdef').bootstrapToken, 'abcdef.0123456789abcdef');
  for (const bad of ['', 'K10abc', 'K10abc::server:x']) {
    assert.throws(
      () => parseJoinToken(bad),
      (error) => hasCode(error, 'InvalidToken'),
      bad,
    );
  }
});

test('node passwords verify against their hash only', async () => {
  const hash = await hashNodePassword('one', random.bytes(8));
  assert.match(hash, /^\$1:[0-9a-f]{16}:15:8:1:[A-Za-z0-9+/]+$/);
  assert.equal(await verifyNodePassword('one', hash), true);
  assert.equal(await verifyNodePassword('two', hash), false);
});

test('service-account tokens verify with every key of the file, and no other', async () => {
  const [first, second] = [await createRsaKey(), await createRsaKey()];
  const token = await createServiceAccountTokens(first).sign({ sub: 'x', exp: 1 });
  const publicPart = createPublicKey(first).export({ type: 'spki', format: 'pem' });
  assert.equal((await createServiceAccountTokens(`${second}${publicPart}`).verify(token)).sub, 'x');
  const curve = await createEcKey();
  const short = await createServiceAccountTokens(curve).sign({ sub: 'y' });
  assert.equal((await createServiceAccountTokens(`${second}${curve}`).verify(short)).sub, 'y');
  const claims = await createServiceAccountTokens(`${second}${first}`).verify(token);
  assert.equal(claims.sub, 'x');
  await assert.rejects(createServiceAccountTokens(second).verify(token), (error) =>
    hasCode(error, 'InvalidToken'),
  );
});
