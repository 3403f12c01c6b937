import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import { createFakeClient, fakeErrors } from '#client/testing/mod.ts';
import type { CoreV1Event, IPAddress, Service, ServiceCIDR } from '#schema/types.ts';
import { familyLabel, ipAddressFor, managedByLabel } from './ip-address-object.ts';
import { keepServiceAddresses } from './keep-service-addresses.ts';

const service = (name: string, clusterIPs: string[]): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { clusterIP: clusterIPs[0], clusterIPs },
});
const ranges: ServiceCIDR = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name: 'kubernetes' },
  spec: { cidrs: ['10.43.0.0/16', 'fd00::/112'] },
};

function setUp(objects: object[]) {
  const clock = new FakeClock();
  const random = seededRandom(3);
  const client = createFakeClient({ clock, random, objects: [ranges, ...objects] as never });
  const stop = new AbortController();
  const common = { client, clock, random, log: silentLogger, signal: stop.signal };
  const informers = createInformerFactory(common);
  const done = keepServiceAddresses({ ...common, informers });
  informers.start();
  return {
    client,
    clock,
    owner: (ip: string) =>
      client.stored<IPAddress>(resources.ipAddresses, ip)?.spec?.parentRef?.name,
    events: () =>
      client
        .all<CoreV1Event>(resources.events)
        .map(({ involvedObject, reason, message }) => [involvedObject.name, reason, message]),
    async stop() {
      stop.abort();
      await done;
    },
  };
}

/** An IPAddress for a Service of the default namespace, as old as the test when no time is given. */
function address(name: string, owner: string, changes: object = {}): IPAddress {
  const made = ipAddressFor(name, { namespace: 'default', name: owner });
  const creationTimestamp = formatTime(0);
  return { ...made, metadata: { ...made.metadata, creationTimestamp, ...changes } };
}

test('a cluster IP without its IPAddress gets one, with an event', async () => {
  const { clock, client, owner, events, stop } = setUp([
    service('both', ['10.43.0.9', 'fd00::9']),
    service('headless', ['None']),
    service('outside', ['10.99.0.1']),
  ]);
  await clock.advance(2000);
  assert.equal(owner('10.43.0.9'), 'both');
  assert.equal(owner('fd00::9'), 'both');
  assert.equal(owner('10.99.0.1'), undefined);
  const labels = client.stored<IPAddress>(resources.ipAddresses, 'fd00::9')?.metadata.labels;
  assert.deepEqual(labels, { [familyLabel]: 'IPv6', [managedByLabel]: 'ipallocator.k8s.io' });
  assert.deepEqual(events().sort(), [
    ['both', 'ClusterIPNotAllocated', 'Cluster IP [IPv4]: 10.43.0.9 is not allocated; repairing'],
    ['both', 'ClusterIPNotAllocated', 'Cluster IP [IPv6]: fd00::9 is not allocated; repairing'],
    [
      'outside',
      'ClusterIPOutOfRange',
      'Cluster IP [IPv4]: 10.99.0.1 is not within any configured Service CIDR; please recreate service',
    ],
  ]);
  await stop();
});

test('an IPAddress that refers to another owner or lost its labels is made again', async () => {
  const { clock, client, owner, events, stop } = setUp([
    service('moved', ['10.43.0.8']),
    address('10.43.0.8', 'other'),
    service('plain', ['10.43.0.7']),
    address('10.43.0.7', 'plain', { labels: {} }),
  ]);
  await clock.advance(2000);
  assert.equal(owner('10.43.0.8'), 'moved');
  const { labels } = client.stored<IPAddress>(resources.ipAddresses, '10.43.0.7')?.metadata ?? {};
  assert.equal(labels?.[familyLabel], 'IPv4');
  const own = events().filter(([name]) => name === 'moved');
  assert.deepEqual(own, [
    [
      'moved',
      'ClusterIPNotAllocated',
      'the ClusterIP [IPv4]: 10.43.0.8 for Service default/moved has a wrong reference; repairing',
    ],
  ]);
  await stop();
});

test('an address of two Services stays with the first, and the other is told', async () => {
  const { clock, owner, events, stop } = setUp([
    service('first', ['10.43.0.5']),
    service('second', ['10.43.0.5']),
    address('10.43.0.5', 'first'),
  ]);
  await clock.advance(2000);
  assert.equal(owner('10.43.0.5'), 'first');
  assert.deepEqual(events(), [
    [
      'second',
      'ClusterIPAlreadyAllocated',
      'Cluster IP [IPv4]:10.43.0.5 was assigned to multiple services; please recreate service',
    ],
  ]);
  await stop();
});

test('what a Service does not hold any more is not mended for it', async () => {
  const { clock, client, owner, events, stop } = setUp([
    service('free', ['10.43.0.5']),
    address('10.43.0.5', 'free'),
    service('lost', ['10.43.0.6']),
    address('10.43.0.6', 'lost'),
  ]);
  await clock.advance(2000);
  // the informer of Services is behind: it still shows both
  const { get } = client;
  const withoutServices: Client['get'] = async (resource, name, options) => {
    if (resource.resource === 'services') throw fakeErrors.notFound(resource, name);
    return (await get.call(client, resource, name, options)) as never;
  };
  client.get = withoutServices;
  client.remove(resources.ipAddresses, '10.43.0.5');
  client.remove(resources.ipAddresses, '10.43.0.6');
  const next = ipAddressFor('10.43.0.6', { namespace: 'default', name: 'next' });
  await client.create(resources.ipAddresses, next);
  await clock.advance(2000);
  assert.deepEqual([owner('10.43.0.5'), owner('10.43.0.6')], [undefined, 'next']);
  assert.deepEqual(events(), []);
  await stop();
});

test('an IPAddress without its Service goes, but only when it is a minute old', async () => {
  const { clock, client, owner, events, stop } = setUp([
    service('one', ['10.43.0.1']),
    address('10.43.0.1', 'one'),
    address('10.43.0.2', 'gone'),
    address('10.43.0.3', 'one'),
    address('10.43.0.4', 'gone', { labels: { [managedByLabel]: 'someone' } }),
  ]);
  const young = ipAddressFor('10.43.0.6', { namespace: 'default', name: 'coming' });
  await clock.advance(2000);
  await client.create(resources.ipAddresses, young);
  await clock.advance(30_000);
  assert.equal(owner('10.43.0.6'), 'coming');
  await clock.advance(60_000);
  assert.deepEqual(['10.43.0.1', '10.43.0.2', '10.43.0.3', '10.43.0.4', '10.43.0.6'].map(owner), [
    'one',
    undefined,
    undefined,
    'gone',
    undefined,
  ]);
  assert.deepEqual(events().sort(), [
    [
      '10.43.0.2',
      'IPAddressNotAllocated',
      'IPAddress: 10.43.0.2 for Service default/gone appears to have leaked: cleaning up',
    ],
    [
      '10.43.0.3',
      'IPAddressWrongReference',
      'IPAddress: 10.43.0.3 for Service default/one has a wrong reference; cleaning up',
    ],
    [
      '10.43.0.6',
      'IPAddressNotAllocated',
      'IPAddress: 10.43.0.6 for Service default/coming appears to have leaked: cleaning up',
    ],
  ]);
  await stop();
});
