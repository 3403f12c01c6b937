import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { test } from 'node:test';

import { hasCode } from '#base/errors.ts';
import { seededRandom } from '#base/random.ts';
import { createAuthority, createEcKey, createRsaKey, issueCertificate } from './mod.ts';
import { createSigningRequest, publicKeyOfRequest } from './mod.ts';
import { loadX509 } from './x509-library.ts';

const random = seededRandom(1);
const nowMs = Date.UTC(2026, 10, 21, 10, 11, 12);

for (const [kind, createKey] of [
  ['P-256', createEcKey],
  ['RSA', createRsaKey],
] as const) {
  test(`an authority with a ${kind} key and its leaf are read by others as they were meant`, async () => {
    const x509 = await loadX509();
    const keyPem = await createKey();
    const authority = await createAuthority({
      commonName: 'k3s-server-ca@1',
      keyPem,
      nowMs,
      serial: random.bytes(16),
    });
    const ca = new x509.X509Certificate(authority.certificatePem);
    assert.equal(ca.subject, 'CN=k3s-server-ca@1');
    assert.equal(ca.issuer, ca.subject);
    assert.ok(await ca.verify({ date: new Date(nowMs) }));
    assert.equal(ca.getExtension(x509.BasicConstraintsExtension)?.ca, true);
    const leaf = await issueCertificate({
      authority,
      commonName: 'kubé',
      organizations: ['a', 'b'],
      dnsNames: ['localhost'],
      ipAddresses: ['10.0.0.1', 'fd00::1', 'no address'],
      purposes: ['server'],
      key: createPublicKey(await createEcKey()),
      nowMs,
      days: 3,
      serial: Buffer.alloc(16, 0xff),
    });
    const read = new x509.X509Certificate(leaf);
    assert.equal(read.subject, 'O=a, O=b, CN=kubé');
    assert.ok(await read.verify({ publicKey: ca, date: new Date(nowMs) }));
    assert.equal(read.serialNumber, `7f${'ff'.repeat(15)}`);
    assert.equal(read.notBefore.getTime(), nowMs - 3_600_000);
    assert.equal(read.notAfter.getTime(), nowMs + 3 * 86_400_000);
    const keyId = read.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
    assert.equal(keyId, ca.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId);
    const names = read.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON();
    assert.deepEqual(names, [
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '10.0.0.1' },
      { type: 'ip', value: 'fd00::1' },
    ]);
    const own = new X509Certificate(leaf);
    assert.ok(own.checkIssued(new X509Certificate(authority.certificatePem)));
    assert.ok(own.verify(createPublicKey(keyPem)));
  });
}

test('a signing request is read by others and refused when one byte of it changed', async () => {
  const keyPem = await createEcKey();
  const request = await createSigningRequest(keyPem);
  const x509 = await loadX509();
  assert.ok(await new x509.Pkcs10CertificateRequest(request).verify());
  assert.ok((await publicKeyOfRequest(request)).equals(createPublicKey(keyPem)));
  for (let at = 0; at < request.length; at += 1) {
    const changed = Buffer.from(request);
    changed[at] = changed[at]! ^ 0x01;
    await assert.rejects(
      publicKeyOfRequest(changed),
      (error) => hasCode(error, 'BadRequest'),
      `byte ${at}`,
    );
  }
});

test('signing requests of other programs are taken for every usual key', async () => {
  const x509 = await loadX509();
  const algorithms = [
    { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048 },
    { name: 'Ed25519' },
  ];
  const types = ['ec', 'rsa', 'ed25519'];
  for (const [index, algorithm] of algorithms.entries()) {
    const publicExponent = new Uint8Array([1, 0, 1]);
    const asked = { ...algorithm, publicExponent } as webcrypto.RsaHashedKeyGenParams;
    const keys = await webcrypto.subtle.generateKey(asked, true, ['sign', 'verify']);
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=other',
      keys,
      signingAlgorithm: algorithm,
    });
    const key = await publicKeyOfRequest(Buffer.from(request.rawData));
    assert.equal(key.asymmetricKeyType, types[index]);
  }
});

test('a key that cannot sign certificates is refused', async () => {
  const { privateKey } = generateKeyPairSync('x25519');
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await assert.rejects(
    createAuthority({ commonName: 'a', keyPem, nowMs, serial: random.bytes(16) }),
    (error) => hasCode(error, 'InvalidKey'),
  );
});
