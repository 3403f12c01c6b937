import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseCidr } from '#base/cidr.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Service, ServiceCIDR } from '#schema/types.ts';

import { createIpRange, staticBand } from './ip-range.ts';
import { NumberPool } from './number-pool.ts';
import { PortSet } from './port-range.ts';
import { decodeRangeAllocation, encodeRangeAllocation } from './range-allocation.ts';
import { startSharedServers } from './servers-for-tests.ts';
import type { SharedServers } from './servers-for-tests.ts';

const random = seededRandom(1);

describe('a pool of numbers', () => {
  it('gives the upper band first, then the lower, then nothing', () => {
    const pool = new NumberPool({ size: 10, staticSize: 4, random });
    const taken = Array.from({ length: 10 }, () => pool.takeAny());
    assert.deepEqual(taken.slice(0, 6).sort(), [4, 5, 6, 7, 8, 9]);
    assert.deepEqual(taken.slice(6).sort(), [0, 1, 2, 3]);
    assert.equal(pool.takeAny(), undefined);
    pool.release(3);
    assert.equal(pool.takeAny(), 3);
  });
});

describe('ranges of addresses', () => {
  it('leave out network and broadcast addresses', () => {
    const range = createIpRange(parseCidr('10.0.0.0/29'));
    const all = [...range.candidates(random)].sort();
    assert.deepEqual(
      all,
      [1, 2, 3, 4, 5, 6].map((last) => `10.0.0.${last}`),
    );
    for (const address of ['10.0.0.0', '10.0.0.7', '10.0.1.1', 'fd00::1', 'x']) {
      assert.equal(range.hasText(address), false, address);
    }
  });

  it('offer the upper band before the lower', () => {
    const all = [...createIpRange(parseCidr('10.0.0.0/26')).candidates(random)];
    assert.equal(all.length, 62);
    const lower = all.slice(-16).map((address) => Number(address.split('.')[3]));
    assert.deepEqual(
      lower.sort((a, b) => a - b),
      Array.from({ length: 16 }, (_, index) => index + 1),
    );
  });

  it('work with IPv6, whose last address is one as others', () => {
    const range = createIpRange(parseCidr('fd00:43::/112'));
    assert.ok(range.hasText('fd00:43::ffff'));
    assert.ok(!range.hasText('fd00:43::'));
    const wide = createIpRange(parseCidr('fd00:43::/64'));
    const [first = ''] = wide.candidates(random);
    assert.match(first, /^fd00:43::/);
    assert.ok(wide.hasText('fd00:43::ffff:ffff:ffff:fff0'));
  });

  it('keep the lower band by the rule of upstream', () => {
    const bands = [16n, 32n, 256n, 4096n, 65_536n].map(staticBand);
    assert.deepEqual(bands, [0n, 16n, 16n, 256n, 256n]);
  });
});

describe('node ports', () => {
  const range = { from: 30_000, to: 32_767 };

  it('stay in their range', () => {
    const ports = new PortSet({ range, random });
    const port = ports.takeAny();
    assert.ok(port >= 30_086 && port <= 32_767);
    assert.throws(() => ports.take(port), { message: 'provided port is already allocated' });
    assert.throws(() => ports.take(80), {
      message: 'provided port is not in the valid range. The range of valid ports is 30000-32767',
    });
  });

  it('are stored as upstream stores them', () => {
    const ports = new PortSet({ range, random, taken: [30_000, 30_009] });
    assert.deepEqual(JSON.parse(ports.encode().toString()), {
      kind: 'RangeAllocation',
      apiVersion: 'v1',
      metadata: { creationTimestamp: null },
      range: '30000-32767',
      data: Buffer.from([0x02, 0x01]).toString('base64'),
    });
    assert.deepEqual(PortSet.parse(ports.encode(), range, random)?.ports(), [30_000, 30_009]);
    assert.equal(PortSet.parse(ports.encode(), { from: 1, to: 2 }, random), undefined);
    const none = encodeRangeAllocation({ range: '1-2', taken: [] });
    assert.deepEqual(decodeRangeAllocation(none), { range: '1-2', taken: [] });
  });

  it('are read from what another API server stored as protobuf', () => {
    const object = Buffer.concat([
      Buffer.from([0x0a, 0x00, 0x12, 0x0b]),
      Buffer.from('30000-32767'),
      Buffer.from([0x1a, 0x02, 0x02, 0x01]),
    ]);
    const head = Buffer.from([0x6b, 0x38, 0x73, 0x00, 0x0a, 0x00, 0x12, object.length]);
    const found = decodeRangeAllocation(Buffer.concat([head, object]));
    assert.deepEqual(found, { range: '30000-32767', taken: [0, 9] });
  });
});

const tcp = { port: 80, protocol: 'TCP' };
const udp = { port: 80, protocol: 'UDP', name: 'udp' };
const both = ['10.43.0.0/16', 'fd00:43::/112'];

/** Runs a test with servers of its own. */
function withServers(
  options: Parameters<typeof startSharedServers>[0],
  work: (servers: SharedServers) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const servers = await startSharedServers(options);
    try {
      await work(servers);
    } finally {
      await servers.close();
    }
  };
}

describe('a new service', () => {
  it(
    'gets an address with an IPAddress, its family and policy',
    withServers({}, async ({ create, addresses }) => {
      const { spec } = await create({ type: 'ClusterIP', ports: [tcp] });
      assert.match(spec?.clusterIP ?? '', /^10\.43\./);
      assert.deepEqual(spec?.clusterIPs, [spec?.clusterIP]);
      assert.deepEqual(spec?.ipFamilies, ['IPv4']);
      assert.equal(spec?.ipFamilyPolicy, 'SingleStack');
      assert.deepEqual(await addresses(), [`${spec?.clusterIP} s`]);
    }),
  );

  it(
    'gets the address that it asks for, once',
    withServers({}, async ({ create, remove }) => {
      const first = await create({ clusterIP: '10.43.0.10', ports: [tcp] });
      assert.deepEqual(first.spec?.clusterIPs, ['10.43.0.10']);
      await assert.rejects(create({ clusterIP: '10.43.0.10', ports: [tcp] }, { name: 't' }), {
        httpCode: 422,
        message:
          'Service "t" is invalid: spec.clusterIPs: Invalid value: ["10.43.0.10"]: failed to allocate IP 10.43.0.10: provided IP is already allocated',
      });
      await remove('s');
      await create({ clusterIP: '10.43.0.10', ports: [tcp] }, { name: 't' });
    }),
  );

  it(
    'is refused an address outside of the ranges',
    withServers({}, async ({ create }) => {
      for (const address of ['10.44.0.1', '10.43.0.0']) {
        await assert.rejects(create({ clusterIP: address, ports: [tcp] }), {
          message: `Service "s" is invalid: spec.clusterIPs: Invalid value: ["${address}"]: failed to allocate IP ${address}: the provided network does not match the current range`,
        });
      }
    }),
  );

  it(
    'gets nothing when it is headless or a name only',
    withServers({}, async ({ create, addresses }) => {
      const headless = { clusterIP: 'None', selector: { a: 'b' }, ports: [tcp] };
      const { spec } = await create(headless, { name: 'a' });
      assert.deepEqual([spec?.clusterIPs, spec?.ipFamilies], [['None'], ['IPv4']]);
      const open = await create({ clusterIP: 'None' }, { name: 'b' });
      assert.equal(open.spec?.ipFamilyPolicy, 'RequireDualStack');
      assert.deepEqual(open.spec?.ipFamilies, ['IPv4', 'IPv6']);
      const name = { type: 'ExternalName', externalName: 'example.org' };
      const named = await create(name, { name: 'c' });
      assert.equal(named.spec?.clusterIP, undefined);
      assert.deepEqual(await addresses(), []);
    }),
  );

  it(
    'gets one node port for the same port over TCP and UDP',
    withServers({}, async ({ create, ports }) => {
      const list = [{ ...tcp, name: 'tcp' }, udp, { port: 81, name: 'more' }];
      const { spec } = await create({ type: 'NodePort', ports: list });
      const [first, second, third] = (spec?.ports ?? []).map((port) => port.nodePort);
      assert.ok(first !== undefined && first >= 30_000);
      assert.equal(first, second);
      assert.notEqual(first, third);
      assert.deepEqual(
        await ports(),
        [first, third].sort((a, b) => Number(a) - Number(b)),
      );
    }),
  );

  it(
    'is told which port is taken, and a refused write keeps nothing',
    withServers({}, async ({ create, addresses, ports }) => {
      await create({ type: 'NodePort', ports: [{ ...tcp, nodePort: 30_080 }] });
      const refused = { type: 'NodePort', clusterIP: '10.43.0.9' };
      const list = [
        { ...tcp, name: 'a', nodePort: 30_099 },
        { port: 81, name: 'b', nodePort: 30_080 },
      ];
      await assert.rejects(create({ ...refused, ports: list }, { name: 't' }), {
        httpCode: 422,
        message:
          'Service "t" is invalid: spec.ports[1].nodePort: Invalid value: 30080: provided port is already allocated',
      });
      // refused by validation, after everything was taken
      await assert.rejects(create({ ...refused, ports: [{ ...tcp, port: 0 }] }, { name: 't' }));
      assert.equal((await addresses()).length, 1);
      assert.deepEqual(await ports(), [30_080]);
      await create({ ...refused, ports: [tcp] }, { name: 't' });
    }),
  );

  it(
    'gets no node ports when a load balancer needs none, but a health check port',
    withServers({}, async ({ create, ports }) => {
      const { spec } = await create({
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        externalTrafficPolicy: 'Local',
        ports: [tcp],
      });
      assert.equal(spec?.ports?.[0]?.nodePort, undefined);
      assert.ok((spec?.healthCheckNodePort ?? 0) >= 30_000);
      assert.deepEqual(await ports(), [spec?.healthCheckNodePort]);
    }),
  );

  it(
    'is dual-stack where the cluster is',
    withServers({ serviceCidrs: both }, async ({ create, addresses }) => {
      const { spec } = await create({ ipFamilyPolicy: 'PreferDualStack', ports: [tcp] });
      assert.deepEqual(spec?.ipFamilies, ['IPv4', 'IPv6']);
      assert.match(spec?.clusterIPs?.[1] ?? '', /^fd00:43::/);
      assert.equal((await addresses()).length, 2);
      const six = await create({ ipFamilies: ['IPv6'], ports: [tcp] }, { name: 'six' });
      assert.match(six.spec?.clusterIP ?? '', /^fd00:43::/);
      // the second address is taken already: the first one goes back
      const taken = {
        ipFamilyPolicy: 'RequireDualStack',
        clusterIPs: ['10.43.1.1', six.spec?.clusterIP],
      };
      await assert.rejects(create({ ...taken, ports: [tcp] }, { name: 'third' }), {
        httpCode: 422,
      });
      assert.equal((await addresses()).length, 3);
    }),
  );

  it(
    'is refused a family that the cluster has not',
    withServers({}, async ({ create }) => {
      await assert.rejects(create({ ipFamilyPolicy: 'RequireDualStack', ports: [tcp] }), {
        message:
          'Service "s" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      });
      await assert.rejects(create({ ipFamilies: ['IPv6'], ports: [tcp] }), {
        message:
          'Service "s" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
      });
    }),
  );

  it(
    'takes nothing in a dry run',
    withServers({}, async ({ create, addresses, ports }) => {
      const tried = await create({ type: 'NodePort', ports: [tcp] }, { dryRun: true });
      assert.equal(tried.spec?.clusterIP, '10.43.0.0');
      assert.equal(tried.spec?.ports?.[0]?.nodePort, 32_769);
      await create({ clusterIP: '10.43.0.8', ports: [tcp] }, { dryRun: true });
      assert.deepEqual([await addresses(), await ports()], [[], []]);
      await create({ type: 'NodePort', ports: [{ ...tcp, nodePort: 30_001 }] });
      const again = { type: 'NodePort', ports: [{ ...tcp, nodePort: 30_001 }] };
      await assert.rejects(create(again, { name: 't', dryRun: true }), { httpCode: 422 });
    }),
  );
});

it(
  'a service whose name is taken keeps nothing',
  withServers({}, async ({ create, addresses, ports }) => {
    const service = { type: 'NodePort', ports: [tcp] };
    await create(service);
    await assert.rejects(create(service), { reason: 'AlreadyExists' });
    assert.deepEqual([(await addresses()).length, (await ports()).length], [1, 1]);
  }),
);

describe('ranges of a cluster', () => {
  it(
    'are full at some time, and grow with another ServiceCIDR until it goes',
    withServers({ serviceCidrs: ['10.43.0.0/30'] }, async ({ clients, create }) => {
      const [client] = clients;
      assert.ok(client !== undefined);
      for (const name of ['a', 'b']) await create({ ports: [tcp] }, { name });
      await assert.rejects(create({ ports: [tcp] }, { name: 'c' }), {
        httpCode: 500,
        message:
          'Internal error occurred: failed to allocate a serviceIP for Service "c": range is full',
      });
      const more = { metadata: { name: 'more' }, spec: { cidrs: ['10.99.0.0/24'] } };
      const range = await client.create<ServiceCIDR>(resources.serviceCidrs, more);
      const { spec } = await create({ ports: [tcp] }, { name: 'c' });
      assert.match(spec?.clusterIP ?? '', /^10\.99\.0\./);
      const condition = {
        type: 'Ready',
        status: 'False' as const,
        reason: 'Terminating',
        message: 'going',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      };
      const going: ServiceCIDR = { ...range, status: { conditions: [condition] } };
      await client.update(resources.serviceCidrs, going, { subresource: 'status' });
      await assert.rejects(create({ ports: [tcp] }, { name: 'd' }), /range is full$/);
      await assert.rejects(create({ clusterIP: '10.99.0.77', ports: [tcp] }, { name: 'd' }), {
        message: /the provided network does not match the current range$/,
      });
    }),
  );
});

describe('a changed service', () => {
  it(
    'keeps address and ports that the update leaves out',
    withServers({}, async ({ create, update }) => {
      const old = await create({ type: 'NodePort', ports: [{ ...tcp, name: 'web' }] });
      const moved = { type: 'NodePort', ports: [{ port: 8080, name: 'web' }] };
      const next = await update(old, moved);
      assert.equal(next.spec?.clusterIP, old.spec?.clusterIP);
      assert.equal(next.spec?.ports?.[0]?.nodePort, old.spec?.ports?.[0]?.nodePort);
    }),
  );

  it(
    'loses its ports with the type, and they are free at once',
    withServers({}, async ({ create, update, ports }) => {
      const old = await create({ type: 'NodePort', ports: [{ ...tcp, nodePort: 30_080 }] });
      const next = await update(old, { ...old.spec, type: 'ClusterIP' });
      assert.equal(next.spec?.ports?.[0]?.nodePort, undefined);
      assert.deepEqual(await ports(), []);
      await create({ type: 'NodePort', ports: [{ ...tcp, nodePort: 30_080 }] }, { name: 't' });
    }),
  );

  it(
    'gives up its address as a name only, and gets one as a service again',
    withServers({}, async ({ create, update, addresses }) => {
      const old = await create({ clusterIP: '10.43.0.20', ports: [tcp] });
      const name = { ...old.spec, type: 'ExternalName', externalName: 'x.org' };
      const named = await update(old, name);
      assert.equal(named.spec?.clusterIP, undefined);
      assert.deepEqual(await addresses(), []);
      await create({ clusterIP: '10.43.0.20', ports: [tcp] }, { name: 't' });
      const back = await update(named, { type: 'ClusterIP', ports: [tcp] });
      assert.match(back.spec?.clusterIP ?? '', /^10\.43\./);
      assert.deepEqual((await addresses()).length, 2);
    }),
  );

  it(
    'gains and loses the second family by its policy',
    withServers({ serviceCidrs: both }, async ({ create, update, addresses }) => {
      const old = await create({ type: 'ClusterIP', ports: [tcp] });
      const dual = await update(old, { ...old.spec, ipFamilyPolicy: 'RequireDualStack' });
      assert.equal(dual.spec?.clusterIPs?.length, 2);
      assert.equal(dual.spec?.clusterIP, old.spec?.clusterIP);
      await assert.rejects(update(dual, { ...dual.spec, ipFamilies: ['IPv4'] }), {
        message: /must be 'SingleStack' to release the secondary IP family/,
      });
      assert.equal((await addresses()).length, 2);
      const down = await update(dual, { ...dual.spec, ipFamilyPolicy: 'SingleStack' });
      assert.deepEqual(down.spec?.clusterIPs, [old.spec?.clusterIP]);
      assert.deepEqual(await addresses(), [`${old.spec?.clusterIP} s`]);
    }),
  );

  it(
    'cannot take the address of another one, whose address stays',
    withServers({}, async ({ create, update, addresses }) => {
      const old = await create({ clusterIP: '10.43.0.21', ports: [tcp] });
      await create({ clusterIP: '10.43.0.22', ports: [tcp] }, { name: 't' });
      await assert.rejects(
        update(old, { ...old.spec, clusterIP: '10.43.0.22', clusterIPs: ['10.43.0.22'] }),
        { message: /may not change once set$/ },
      );
      const { clusterIPs: _list, ...single } = old.spec ?? {};
      await assert.rejects(update(old, { ...single, clusterIP: '10.43.0.23' }), {
        message: /\["10.43.0.23"\]: may not change once set$/,
      });
      assert.deepEqual(await addresses(), ['10.43.0.21 s', '10.43.0.22 t']);
    }),
  );

  it(
    'takes its endpoints with it when it is deleted',
    withServers({}, async ({ clients, create, remove }) => {
      const [client] = clients;
      assert.ok(client !== undefined);
      await create({ ports: [tcp] });
      const endpoints = { metadata: { name: 's', namespace: 'ns' } };
      await client.create(resources.endpoints, endpoints, { namespace: 'ns' });
      await remove('s');
      const { items } = await client.list(resources.endpoints);
      assert.deepEqual(items, []);
      await create({ ports: [tcp] });
      await remove('s');
    }),
  );

  it(
    'gives everything back when it is deleted, with finalizers when these are gone',
    withServers({}, async ({ clients, create, remove, addresses, ports }) => {
      await create({ type: 'NodePort', clusterIP: '10.43.0.30', ports: [tcp] });
      await clients[0]?.patch(
        resources.services,
        's',
        { type: 'merge', body: { metadata: { finalizers: ['example.org/wait'] } } },
        { namespace: 'ns' },
      );
      await remove('s');
      assert.equal((await addresses()).length, 1);
      await clients[0]?.patch<Service>(
        resources.services,
        's',
        { type: 'merge', body: { metadata: { finalizers: null } } },
        { namespace: 'ns' },
      );
      assert.deepEqual([await addresses(), await ports()], [[], []]);
    }),
  );
});

describe('servers that share a datastore', () => {
  it(
    'never give out an address or a port twice',
    withServers(
      { servers: 2, serviceCidrs: ['10.43.0.0/27'], nodePorts: { from: 30_000, to: 30_023 } },
      async ({ create, addresses, ports }) => {
        const made = await Promise.all(
          Array.from({ length: 24 }, (_, index) =>
            create({ type: 'NodePort', ports: [tcp] }, { name: `s${index}`, at: index % 2 }),
          ),
        );
        assert.equal(new Set(made.map(({ spec }) => spec?.clusterIP)).size, 24);
        assert.equal(new Set(made.map(({ spec }) => spec?.ports?.[0]?.nodePort)).size, 24);
        assert.equal((await addresses()).length, 24);
        assert.equal((await ports()).length, 24);
        await assert.rejects(create({ type: 'NodePort', ports: [tcp] }, { name: 'z', at: 1 }), {
          message: 'Internal error occurred: failed to allocate a nodePort: range is full',
        });
        assert.equal((await addresses()).length, 24);
      },
    ),
  );

  it(
    'give the one address that two ask for to one of them',
    withServers({ servers: 2 }, async ({ create }) => {
      const wanted = { type: 'NodePort', clusterIP: '10.43.0.50' };
      const list = [{ ...tcp, nodePort: 30_050 }];
      const results = await Promise.allSettled(
        [0, 1, 0, 1].map((at, index) =>
          create({ ...wanted, ports: list }, { name: `s${index}`, at }),
        ),
      );
      const fulfilled = results.filter(({ status }) => status === 'fulfilled');
      assert.equal(fulfilled.length, 1);
    }),
  );
});
