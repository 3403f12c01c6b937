import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { IPAddress, Service } from '#schema/types.ts';
import { keepServiceAddresses } from './service-ip-addresses.ts';

const addresses = { group: 'networking.k8s.io', version: 'v1', resource: 'ipaddresses' };
const managed = 'ipaddress.kubernetes.io/managed-by';

const service = (name: string, clusterIPs: string[]): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { clusterIP: clusterIPs[0], clusterIPs },
});
const address = (name: string, owner: string, labels: Record<string, string>): IPAddress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IPAddress',
  metadata: { name, labels },
  spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: owner } },
});

test('each cluster IP has an IPAddress, and those of Services that are gone go', async () => {
  const clock = new FakeClock();
  const random = seededRandom(3);
  const ours = { [managed]: 'ipallocator.k8s.io' };
  const objects = [
    service('both', ['10.43.0.9', 'fd00::9']),
    service('headless', ['None']),
    service('moved', ['10.43.0.8']),
    address('10.43.0.8', 'other', ours),
    address('10.43.0.7', 'gone', ours),
    address('10.43.0.6', 'gone', { [managed]: 'someone' }),
  ];
  const client = createFakeClient({ clock, random, objects });
  const stop = new AbortController();
  const common = { client, clock, random, log: silentLogger, signal: stop.signal };
  const informers = createInformerFactory(common);
  const done = keepServiceAddresses({ ...common, informers });
  informers.start();
  await clock.advance(1000);
  const owner = (ip: string) => client.stored<IPAddress>(addresses, ip)?.spec?.parentRef?.name;
  assert.equal(owner('10.43.0.9'), 'both');
  assert.equal(owner('fd00::9'), 'both');
  assert.equal(owner('10.43.0.8'), 'moved');
  assert.equal(owner('10.43.0.7'), undefined);
  assert.equal(owner('10.43.0.6'), 'gone');
  assert.deepEqual(client.stored<IPAddress>(addresses, 'fd00::9')?.metadata.labels, {
    'ipaddress.kubernetes.io/ip-family': 'IPv6',
    [managed]: 'ipallocator.k8s.io',
  });
  client.remove(resources.services, 'default/both');
  await clock.advance(1000);
  assert.equal(owner('10.43.0.9'), undefined);
  stop.abort();
  await done;
});
