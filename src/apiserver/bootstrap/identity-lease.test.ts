import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { Lease } from '#schema/types.ts';
import { apiServerId, keepIdentityLease } from './identity-lease.ts';

const namespace = 'kube-system';

test('the name of a server is that of upstream', () => {
  assert.equal(apiServerId('kind-control-plane'), 'apiserver-c4vwjftbvpc5os2vvzle4qg27a');
});

test('a server renews its lease, and takes away those of servers that are long gone', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const stop = new AbortController();
  const labels = { 'apiserver.kubernetes.io/identity': 'kube-apiserver' };
  const lease = (name: string, renewTime: string) => ({
    metadata: { name, namespace, labels },
    spec: { leaseDurationSeconds: 3600, renewTime },
  });
  await client.create(resources.leases, lease('old', '2025-01-01T00:00:00.000000Z'), { namespace });
  await client.create(resources.leases, lease('other', '2025-12-31T23:59:59.000000Z'), {
    namespace,
  });
  const random = seededRandom(1);
  const options = { client, clock, random, log: silentLogger, signal: stop.signal };
  keepIdentityLease({ ...options, hostname: 'host' });
  await clock.advance(0);
  const own = async (): Promise<Lease> =>
    await client.get<Lease>(resources.leases, apiServerId('host'), { namespace });
  const first = await own();
  assert.deepEqual(first.metadata.labels, { ...labels, 'kubernetes.io/hostname': 'host' });
  assert.match(first.spec?.holderIdentity ?? '', /^apiserver-[a-z2-7]{26}_[0-9a-f-]{36}$/);
  assert.equal(first.spec?.leaseDurationSeconds, 3600);
  await clock.advance(10_000);
  assert.equal((await own()).spec?.renewTime, '2026-01-01T00:00:10.000000Z');
  const { items } = await client.list(resources.leases, { namespace });
  assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), [
    apiServerId('host'),
    'other',
  ]);
  stop.abort();
});
