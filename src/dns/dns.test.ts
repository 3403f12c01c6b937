import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { decode, encode, streamDecode, streamEncode } from 'dns-packet';
import type { Answer, DecodedPacket, Packet, RecordType } from 'dns-packet';

import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { createInformerFactory, resources } from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { EndpointSlice, Service, ServiceSpec } from '#schema/types.ts';
import { createClusterZone } from './cluster-zone.ts';
import type { ClusterZone } from './cluster-zone.ts';
import { startDnsServer } from './dns-server.ts';
import { createForwarder } from './forwarder.ts';
import { parseResolvConf } from './resolv-conf.ts';
import { addressOfReverseName } from './reverse-name.ts';

const domain = 'cluster.local';

function service(name: string, spec: Partial<ServiceSpec>): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
  };
}

function slice(
  of: string,
  endpoints: { ip: string; hostname?: string; ready?: boolean }[],
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    metadata: {
      name: `${of}-1`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': of },
    },
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpoints.map(({ ip, hostname, ready = true }) => ({
      addresses: [ip],
      hostname,
      conditions: { ready },
    })),
  };
}

async function cluster(t: TestContext): Promise<ReturnType<typeof informersOf>> {
  const stopper = new AbortController();
  t.after(() => stopper.abort());
  const parts = informersOf(stopper.signal);
  parts.client.add(
    service('web', { clusterIP: '10.43.1.2', clusterIPs: ['10.43.1.2', 'fd00::12'] }),
    service('db', { clusterIP: 'None', clusterIPs: ['None'] }),
    service('out', { type: 'ExternalName', externalName: 'example.org' }),
    slice('db', [
      { ip: '10.42.0.5', hostname: 'db-0' },
      { ip: '10.42.0.6' },
      { ip: '10.42.0.7', ready: false },
    ]),
  );
  return parts;
}

function informersOf(signal: AbortSignal) {
  const clock = new FakeClock();
  const random = seededRandom(1);
  const client = createFakeClient({ clock, random });
  const factory = createInformerFactory({ client, clock, random, log: silentLogger, signal });
  return {
    client,
    random,
    factory,
    services: factory.informer<Service>(resources.services),
    endpointSlices: factory.informer<EndpointSlice>(resources.endpointSlices),
  };
}

async function startZone(t: TestContext): Promise<ClusterZone> {
  const parts = await cluster(t);
  const zone = createClusterZone({ ...parts, domain });
  parts.factory.start();
  await parts.factory.synced();
  return zone;
}

const dataOf = (answers: readonly Answer[]): unknown[] =>
  answers.map((answer) => ('data' in answer ? answer.data : undefined));

test('Services, headless endpoints and reverse names answer as the specification says', async (t) => {
  const zone = await startZone(t);
  const cases: [string, string, unknown[] | 'none' | 'foreign'][] = [
    ['web.default.svc.cluster.local', 'A', ['10.43.1.2']],
    ['web.default.svc.cluster.local', 'AAAA', ['fd00::12']],
    ['web.default.svc.cluster.local', 'MX', []],
    ['db-0.db.default.svc.cluster.local', 'A', ['10.42.0.5']],
    ['10-42-0-6.db.default.svc.cluster.local', 'A', ['10.42.0.6']],
    ['10-42-0-7.db.default.svc.cluster.local', 'A', 'none'],
    ['x.web.default.svc.cluster.local', 'A', 'none'],
    ['gone.default.svc.cluster.local', 'A', 'none'],
    ['default.svc.cluster.local', 'A', []],
    ['gone.svc.cluster.local', 'A', 'none'],
    ['10-42-0-9.default.pod.cluster.local', 'A', ['10.42.0.9']],
    ['dns-version.cluster.local', 'TXT', ['1.1.0']],
    ['2.1.43.10.in-addr.arpa', 'PTR', ['web.default.svc.cluster.local']],
    ['5.0.42.10.in-addr.arpa', 'PTR', ['db-0.db.default.svc.cluster.local']],
    ['9.9.9.9.in-addr.arpa', 'PTR', 'foreign'],
    ['example.org', 'A', 'foreign'],
  ];
  for (const [name, type, wanted] of cases) {
    const answer = zone.answer(name, type);
    if (wanted === 'foreign') assert.equal(answer, undefined, name);
    else if (wanted === 'none') assert.equal(answer?.exists, false, name);
    else {
      assert.equal(answer?.exists, true, name);
      assert.deepEqual(dataOf(answer.answers), wanted, `${name} ${type}`);
    }
  }
  const all = dataOf(zone.answer('db.default.svc.cluster.local', 'A')?.answers ?? []);
  assert.deepEqual(new Set(all), new Set(['10.42.0.5', '10.42.0.6']));
});

test('SRV names the port and target of each endpoint, with addresses added', async (t) => {
  const zone = await startZone(t);
  const single = zone.answer('_http._tcp.web.default.svc.cluster.local', 'SRV');
  assert.deepEqual(dataOf(single?.answers ?? []), [
    { priority: 0, weight: 100, port: 80, target: 'web.default.svc.cluster.local' },
  ]);
  const many = zone.answer('_http._tcp.db.default.svc.cluster.local', 'SRV');
  assert.deepEqual(
    dataOf(many?.answers ?? []).map((data) => (data as { target: string }).target),
    ['db-0.db.default.svc.cluster.local', '10-42-0-6.db.default.svc.cluster.local'],
  );
  assert.deepEqual(dataOf(many?.additionals ?? []), ['10.42.0.5', '10.42.0.6']);
  assert.equal(zone.answer('_ftp._tcp.db.default.svc.cluster.local', 'SRV')?.exists, false);
});

test('reverse names give addresses, anything else none', () => {
  assert.equal(addressOfReverseName('10.0.43.10.in-addr.arpa'), '10.43.0.10');
  const v6 = `${'0.'.repeat(28)}0.0.d.f.ip6.arpa`;
  assert.equal(addressOfReverseName(v6.replace(/^0/, '1')), 'fd00::1');
  for (const name of ['1.2.3.in-addr.arpa', 'x.2.3.4.in-addr.arpa', 'web.svc']) {
    assert.equal(addressOfReverseName(name), undefined);
  }
});

/** A nameserver on loopback that knows one name. */
async function startUpstream(t: TestContext): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => {
    const query = decode(message);
    const name = query.questions?.[0]?.name ?? '';
    asked.push(name);
    const found = name === 'example.org';
    const packet: Packet = {
      type: 'response',
      id: query.id,
      flags: found ? 0 : 3,
      questions: query.questions ?? [],
      answers: found ? [{ name, type: 'A', ttl: 60, class: 'IN', data: '93.184.216.34' }] : [],
    };
    socket.send(encode(packet), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.after(() => socket.close());
  return { port: socket.address().port, asked };
}

test('other names are asked for upstream once, then kept for their time', async (t) => {
  const { port, asked } = await startUpstream(t);
  const clock = new FakeClock();
  const forwarder = createForwarder({
    nameservers: ['127.0.0.1'],
    port,
    clock,
    random: seededRandom(2),
  });
  const question = { name: 'example.org', type: 'A' as RecordType };
  const [first, second] = await Promise.all([
    forwarder.resolve(question),
    forwarder.resolve(question),
  ]);
  assert.deepEqual(dataOf(first.answers ?? []), ['93.184.216.34']);
  assert.equal(first, second);
  await forwarder.resolve(question);
  assert.deepEqual(asked, ['example.org']);
  await clock.advance(31_000);
  await forwarder.resolve(question);
  assert.equal(asked.length, 2);
});

/** Loopback of this process alone, so that runs at the same time do not meet at the port. */
const ownAddress = `127.53.${(process.pid >> 8) & 255}.${process.pid & 255}`;

function askUdp(port: number, name: string, type: RecordType): Promise<DecodedPacket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('message', (message) => {
      socket.close();
      resolve(decode(message));
    });
    const query: Packet = { type: 'query', id: 7, flags: 0x0100, questions: [{ name, type }] };
    socket.send(encode(query), port, ownAddress);
  });
}

function askTcp(port: number, name: string, type: RecordType): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, ownAddress);
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      socket.end();
      resolve(streamDecode(chunk) as DecodedPacket);
    });
    socket.write(streamEncode({ type: 'query', id: 7, questions: [{ name, type }] }));
  });
}

test('the server answers over UDP and TCP, with codes and the SOA of what is not there', async (t) => {
  const parts = await cluster(t);
  const port = 20_053;
  const server = await startDnsServer({
    ...parts,
    domain,
    nameservers: [],
    addresses: [ownAddress],
    port,
    allowedCidrs: ['127.0.0.0/8'],
    clock: systemClock,
    log: silentLogger,
  });
  t.after(() => server.close());
  parts.factory.start();
  await parts.factory.synced();
  for (const ask of [askUdp, askTcp]) {
    const found = await ask(port, 'WEB.default.svc.cluster.local', 'A');
    assert.deepEqual(dataOf(found.answers ?? []), ['10.43.1.2']);
    assert.equal(found.id, 7);
    assert.ok(found.flag_aa);
    const absent = await ask(port, 'gone.default.svc.cluster.local', 'A');
    assert.equal((absent as { rcode?: string }).rcode, 'NXDOMAIN');
    assert.equal(absent.authorities?.[0]?.type, 'SOA');
    const unreachable = await ask(port, 'example.org', 'A');
    assert.equal((unreachable as { rcode?: string }).rcode, 'SERVFAIL');
  }
});

test('resolv.conf is read as the C library reads it', () => {
  const text =
    '# x\nnameserver 10.0.0.1\nsearch a\nnameserver fd00::1 ; y\nsearch b c\noptions ndots:2 edns0\n';
  assert.deepEqual(parseResolvConf(text), {
    nameservers: ['10.0.0.1', 'fd00::1'],
    search: ['b', 'c'],
    options: ['ndots:2', 'edns0'],
  });
});
