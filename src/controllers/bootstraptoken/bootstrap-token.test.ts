import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { ConfigMap, Secret } from '#schema/types.ts';
import { createHarness } from '../testing/harness.ts';
import { startBootstrapSigner, startTokenCleaner } from './mod.ts';

function token(id: string, fields: Record<string, string> = {}): Secret {
  const all = {
    'token-id': id,
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-signing': 'true',
    ...fields,
  };
  const data = Object.fromEntries(
    Object.entries(all).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  const metadata = { name: `bootstrap-token-${id}`, namespace: 'kube-system' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'bootstrap.kubernetes.io/token',
    metadata,
    data,
  };
}

const clusterInfo: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'cluster-info', namespace: 'kube-public' },
  data: { kubeconfig: 'content', 'jws-kubeconfig-gone01': 'old' },
};

test('cluster-info is signed by each token that may, and by no other', async () => {
  const harness = createHarness([startBootstrapSigner], {
    objects: [
      clusterInfo,
      token('abcdef'),
      token('nosign', { 'usage-bootstrap-signing': 'false' }),
      token('over00', { expiration: '2020-01-01T00:00:00Z' }),
    ],
  });
  await harness.run(100);
  const map = harness.client.stored<ConfigMap>(resources.configMaps, 'kube-public/cluster-info');
  assert.deepEqual(map?.data, {
    kubeconfig: 'content',
    // header {"alg":"HS256","kid":"abcdef"}; the signature checked with openssl dgst -hmac
    'jws-kubeconfig-abcdef':
      'eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..psz1NayrXM3IaFzKZGsb5n_mBl7MjtlsZ1xE8MRmF_4',
  });
  await harness.stop();
});

test('a token is removed at its end', async () => {
  const harness = createHarness([startTokenCleaner]);
  const expiration = formatTime(harness.clock.now() + 60_000);
  harness.client.add(token('abcdef', { expiration }), token('always'));
  const names = (): string[] =>
    harness.client.all<Secret>(resources.secrets).map(({ metadata }) => metadata.name);
  await harness.run(50_000);
  assert.equal(names().length, 2);
  await harness.run(11_000);
  assert.deepEqual(names(), ['bootstrap-token-always']);
  await harness.stop();
});
