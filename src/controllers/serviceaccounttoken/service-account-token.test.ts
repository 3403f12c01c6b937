import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Secret, ServiceAccount } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { verdictOf } from './legacy-token-cleaner.ts';
import { startServiceAccountTokenController } from './token-controller.ts';

const account: ServiceAccount = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'robot', namespace: 'shop', uid: 'robot-uid' },
};
const secret: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/service-account-token',
  metadata: {
    name: 'token',
    namespace: 'shop',
    annotations: { 'kubernetes.io/service-account.name': 'robot' },
  },
};

function start(objects: readonly (Secret | ServiceAccount)[]): Harness {
  return createHarness([startServiceAccountTokenController], {
    objects,
    options: { rootCa: 'CA', signToken: async (claims) => JSON.stringify(claims) },
  });
}

const live = (harness: Harness): Secret | undefined =>
  harness.client.stored<Secret>(resources.secrets, 'shop/token');
const text = (harness: Harness, key: string): string =>
  Buffer.from(live(harness)?.data?.[key] ?? '', 'base64').toString();

test('a Secret that asks for a token gets it, with authority and namespace', async () => {
  const harness = start([account, secret]);
  await harness.run(100);
  assert.deepEqual(JSON.parse(text(harness, 'token')), {
    iss: 'kubernetes/serviceaccount',
    'kubernetes.io/serviceaccount/namespace': 'shop',
    'kubernetes.io/serviceaccount/secret.name': 'token',
    'kubernetes.io/serviceaccount/service-account.name': 'robot',
    'kubernetes.io/serviceaccount/service-account.uid': 'robot-uid',
    sub: 'system:serviceaccount:shop:robot',
  });
  assert.equal(text(harness, 'ca.crt'), 'CA');
  assert.equal(text(harness, 'namespace'), 'shop');
  const { annotations } = live(harness)!.metadata;
  assert.equal(annotations?.['kubernetes.io/service-account.uid'], 'robot-uid');
  harness.client.remove(resources.serviceAccounts, 'shop/robot');
  await harness.run(100);
  assert.equal(live(harness), undefined);
  await harness.stop();
});

test('a Secret of a former account of the same name is removed, one without an account too', async () => {
  const annotations = {
    ...secret.metadata.annotations,
    'kubernetes.io/service-account.uid': 'other',
  };
  const former = start([account, { ...secret, metadata: { ...secret.metadata, annotations } }]);
  await former.run(100);
  assert.equal(live(former), undefined);
  await former.stop();
  const alone = start([secret]);
  await alone.run(100);
  assert.equal(live(alone), undefined);
  await alone.stop();
});

const nowMs = Date.parse('2026-11-21T00:00:00Z');

for (const [labels, since, verdict] of [
  [{}, '2026-01-01', 'keep'],
  [{}, '2024-01-01', 'invalidate'],
  [{ 'kubernetes.io/legacy-token-last-used': '2026-11-01' }, '2024-01-01', 'keep'],
  [{ 'kubernetes.io/legacy-token-last-used': '2025-11-01' }, '2024-01-01', 'invalidate'],
  [{ 'kubernetes.io/legacy-token-invalid-since': '2026-11-01' }, '2024-01-01', 'keep'],
  [{ 'kubernetes.io/legacy-token-invalid-since': '2025-11-01' }, '2024-01-01', 'delete'],
] as const) {
  test(`a token with ${JSON.stringify(labels)}, tracked since ${since}: ${verdict}`, () => {
    const metadata = { ...secret.metadata, labels, creationTimestamp: '2023-01-01T00:00:00Z' };
    const trackedSinceMs = Date.parse(`${since}T00:00:00Z`);
    assert.equal(verdictOf({ ...secret, metadata }, { nowMs, trackedSinceMs }), verdict);
  });
}

test('how long a token may be unused can be set', () => {
  const labels = { 'kubernetes.io/legacy-token-last-used': '2026-11-01' };
  const metadata = { ...secret.metadata, labels, creationTimestamp: '2023-01-01T00:00:00Z' };
  const times = { nowMs, trackedSinceMs: nowMs, unusedMs: 10 * 86_400_000 };
  assert.equal(verdictOf({ ...secret, metadata }, times), 'invalidate');
});
