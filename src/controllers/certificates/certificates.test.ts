import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import { eventually } from '#base/eventually.ts';
import { resources } from '#client/mod.ts';
import { createAuthority, createEcKey } from '#pki/mod.ts';
import type { CertificateSigningRequest, SubjectAccessReview } from '#schema/types.ts';
import type { SignerAuthorities } from '../context.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startCertificateApproving } from './approving-controller.ts';
import { isOver, startCertificateCleaner } from './cleaner-controller.ts';
import { startCertificateSigning } from './signing-controller.ts';

/** Made by openssl: O=dev, CN=jane; then system:node:n1 plain, and for n1 and 10.0.0.1. */
const bodies = {
  client:
    'MIHYMH8CAQAwHTEMMAoGA1UECgwDZGV2MQ0wCwYDVQQDDARqYW5lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeJ54pGT/kTOw76Ypi77Ul0O0AKhRBAgpGNe1T1AvgeJ/HN5vPFXoNmoKBZkO/HAd5uqO/YGl9Qr8Pid5lJV2BqAAMAoGCCqGSM49BAMCA0kAMEYCIQClSCN0/c8na3duEEU/Pj/6WvSu//ej6+82rShzhTkOYAIhAKM0R/4Q8nwq5Ccq8bMlP3q/PuzUkHfp+ZUMz1gdcMKk',
  kubelet:
    'MIHqMIGSAgEAMDAxFTATBgNVBAoMDHN5c3RlbTpub2RlczEXMBUGA1UEAwwOc3lzdGVtOm5vZGU6bjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR4nnikZP+RM7DvpimLvtSXQ7QAqFEECCkY17VPUC+B4n8c3m88Veg2agoFmQ78cB3m6o79gaX1Cvw+J3mUlXYGoAAwCgYIKoZIzj0EAwIDRwAwRAIgVjVXAMS2Gc2FZ1jG/pVXdJceRfMNsC+edtehmPmPc7YCIBev7/s4WJU4/rELzmEBEb/ioAeLSnZI736Bm5FUMgUO',
  serving:
    'MIIBETCBuAIBADAwMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFzAVBgNVBAMMDnN5c3RlbTpub2RlOm4xMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeJ54pGT/kTOw76Ypi77Ul0O0AKhRBAgpGNe1T1AvgeJ/HN5vPFXoNmoKBZkO/HAd5uqO/YGl9Qr8Pid5lJV2BqAmMCQGCSqGSIb3DQEJDjEXMBUwEwYDVR0RBAwwCoICbjGHBAoAAAEwCgYIKoZIzj0EAwIDSAAwRQIhANP84Hr6yrSnwisyTMeqgsOF/U2+pTdT/IM3071K4L0eAiAs2UN5PX+o8rPuRZFVfHuZf/LK0RpHfKNxqi015hNOBg==',
} as const;

const clientUsages = ['client auth', 'digital signature', 'key encipherment'];
const serverUsages = ['server auth', 'digital signature', 'key encipherment'];

function signingRequest(
  body: keyof typeof bodies,
  signer: string,
  more: Partial<CertificateSigningRequest['spec']> = {},
): CertificateSigningRequest {
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${bodies[body]}\n-----END CERTIFICATE REQUEST-----\n`;
  const request = Buffer.from(pem).toString('base64');
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'r' },
    spec: { request, signerName: `kubernetes.io/${signer}`, usages: clientUsages, ...more },
  };
}

function approved(request: CertificateSigningRequest): CertificateSigningRequest {
  return { ...request, status: { conditions: [{ type: 'Approved', status: 'True' }] } };
}

const live = (harness: Harness): CertificateSigningRequest =>
  harness.client.stored<CertificateSigningRequest>(
    resources.certificateSigningRequests,
    'r',
  ) as CertificateSigningRequest;

/** Signing runs on real threads: turns of the event loop, not time, bring it to its end. */
async function until(harness: Harness, check: () => boolean): Promise<void> {
  const status = (): string => JSON.stringify(live(harness)?.status);
  await eventually(
    () => `what is meant, with ${status()},`,
    check,
    () => harness.run(0),
  );
}

async function authorities(nowMs: number): Promise<SignerAuthorities> {
  const make = async (commonName: string): ReturnType<typeof createAuthority> =>
    await createAuthority({
      commonName,
      keyPem: await createEcKey(),
      nowMs,
      serial: Buffer.from('0102', 'hex'),
    });
  return { client: await make('client-ca'), server: await make('server-ca') };
}

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const signers = await authorities(nowMs);

for (const [body, signer, usages, authority, seconds] of [
  ['client', 'kube-apiserver-client', clientUsages, 'client', undefined],
  ['client', 'kube-apiserver-client', ['client auth'], 'client', 600],
  ['kubelet', 'kube-apiserver-client-kubelet', clientUsages, 'client', undefined],
  ['serving', 'kubelet-serving', serverUsages, 'server', 86_400],
  ['client', 'legacy-unknown', ['any'], 'server', undefined],
] as const) {
  test(`${signer} signs what was approved, for ${seconds ?? 'a year'}`, async () => {
    const spec = { usages: [...usages], expirationSeconds: seconds };
    const harness = createHarness([startCertificateSigning], {
      objects: [approved(signingRequest(body, signer, spec))],
      options: { signers },
    });
    await until(harness, () => live(harness).status?.certificate !== undefined);
    const pem = Buffer.from(live(harness).status?.certificate ?? '', 'base64').toString();
    const certificate = new X509Certificate(pem);
    const issuer = new X509Certificate(signers[authority].certificatePem);
    assert.ok(certificate.verify(issuer.publicKey));
    assert.equal(certificate.ca, false);
    const names = { client: 'O=dev\nCN=jane' }[body as 'client'];
    assert.equal(certificate.subject, names ?? 'O=system:nodes\nCN=system:node:n1');
    const wantedNames = body === 'serving' ? 'DNS:n1, IP Address:10.0.0.1' : undefined;
    assert.equal(certificate.subjectAltName, wantedNames);
    const lifeMs = Date.parse(certificate.validTo) - harness.clock.now();
    const isShort = seconds !== undefined && seconds < 28_800;
    const wantedMs = (seconds ?? 365 * 86_400) * 1000 - (isShort ? 0 : 300_000);
    assert.equal(lifeMs, wantedMs);
    await harness.stop();
  });
}

for (const [body, signer, usages, message] of [
  [
    'client',
    'kube-apiserver-client',
    serverUsages,
    /^invalid usage for client certificate: server auth$/,
  ],
  [
    'client',
    'kube-apiserver-client-kubelet',
    clientUsages,
    /^subject organization is not system:nodes$/,
  ],
  [
    'serving',
    'kube-apiserver-client-kubelet',
    clientUsages,
    /^DNS subjectAltNames are not allowed$/,
  ],
  ['kubelet', 'kubelet-serving', serverUsages, /^DNS or IP subjectAltName is required$/],
] as const) {
  test(`${signer} refuses ${body} with its reason`, async () => {
    const harness = createHarness([startCertificateSigning], {
      objects: [approved(signingRequest(body, signer, { usages: [...usages] }))],
      options: { signers },
    });
    const failed = () => live(harness).status?.conditions?.find(({ type }) => type === 'Failed');
    await until(harness, () => failed() !== undefined);
    assert.equal(failed()?.reason, 'SignerValidationFailure');
    assert.match(failed()?.message ?? '', message);
    assert.equal(live(harness).status?.certificate, undefined);
    await harness.stop();
  });
}

test('only kubelets are approved, when their user may have the certificate', async () => {
  const who = { username: 'system:node:n1', groups: ['system:nodes'] };
  const harness = createHarness([startCertificateApproving], {
    objects: [signingRequest('kubelet', 'kube-apiserver-client-kubelet', who)],
  });
  // The fake server decides nothing: the answer of the review is what is sent back here.
  const create = harness.client.create.bind(harness.client);
  const asked: (string | undefined)[] = [];
  harness.client.create = async (resource, object, options) => {
    if (resource.resource !== 'subjectaccessreviews')
      return await create(resource, object, options);
    const { spec } = object as unknown as SubjectAccessReview;
    asked.push(spec.resourceAttributes?.subresource);
    return { ...object, status: { allowed: true } };
  };
  const approval = () =>
    harness.client.actions.find(({ subresource }) => subresource === 'approval')?.body as
      | CertificateSigningRequest
      | undefined;
  await until(harness, () => approval() !== undefined);
  const [condition] = approval()?.status?.conditions ?? [];
  assert.equal(asked[0], 'selfnodeclient');
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.reason, condition?.message],
    [
      'Approved',
      'True',
      'AutoApproved',
      'Auto approving self kubelet client certificate after SubjectAccessReview.',
    ],
  );
  await harness.stop();
});

const ago = (hours: number): string => formatTime(nowMs - hours * 3_600_000);
const decided = (type: string, hours: number, certificate?: string): CertificateSigningRequest => ({
  ...signingRequest('client', 'kube-apiserver-client'),
  status: { certificate, conditions: [{ type, status: 'True', lastUpdateTime: ago(hours) }] },
});

for (const [what, request, isGone] of [
  ['denied an hour ago', decided('Denied', 1.1), true],
  ['denied just now', decided('Denied', 0.5), false],
  ['failed an hour ago', decided('Failed', 1.1), true],
  ['issued an hour ago', decided('Approved', 1.1, 'MA=='), true],
  ['approved and not issued', decided('Approved', 1.1), false],
  [
    'undecided for a day',
    { ...signingRequest('client', 'x'), metadata: { name: 'r', creationTimestamp: ago(25) } },
    true,
  ],
  [
    'undecided for an hour',
    { ...signingRequest('client', 'x'), metadata: { name: 'r', creationTimestamp: ago(1) } },
    false,
  ],
] as const) {
  test(`a request ${what} ${isGone ? 'is removed' : 'stays'}`, () => {
    assert.equal(isOver(request, nowMs), isGone);
  });
}

test('the cleaner looks each hour', async () => {
  const harness = createHarness([startCertificateCleaner]);
  await harness.run(10);
  harness.client.add({
    ...signingRequest('client', 'kube-apiserver-client'),
    metadata: { name: 'r', creationTimestamp: formatTime(harness.clock.now() - 90_000_000) },
  });
  await harness.run(1000);
  assert.ok(live(harness) !== undefined);
  await harness.run(3_600_000);
  assert.equal(live(harness), undefined);
  await harness.stop();
});
