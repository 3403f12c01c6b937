import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Service } from '#schema/types.ts';

import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import type { HookScope, Undo } from '../kinds/kind-hooks.ts';
import { createIpAllocator, staticBand } from './ip-allocator.ts';
import { NumberPool } from './number-pool.ts';
import { createPortAllocator } from './port-allocator.ts';
import { createServiceAllocation } from './service-allocation.ts';

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

describe('address pools', () => {
  it('leave out network and broadcast addresses', () => {
    const allocator = createIpAllocator({ cidr: '10.0.0.0/29', random });
    const all = Array.from({ length: 6 }, () => allocator.takeAny()).sort();
    assert.deepEqual(
      all,
      [1, 2, 3, 4, 5, 6].map((last) => `10.0.0.${last}`),
    );
    assert.throws(() => allocator.takeAny(), { message: 'range is full' });
    assert.throws(() => allocator.take('10.0.0.1'), {
      message: 'provided IP is already allocated',
    });
    for (const address of ['10.0.0.0', '10.0.0.7', '10.0.1.1', 'fd00::1', 'x']) {
      assert.throws(() => allocator.take(address), {
        code: 'NotInRange',
        message: `the provided IP (${address}) is not in the valid range. The range of valid IPs is 10.0.0.0/29`,
      });
    }
  });

  it('work in ranges of IPv6', () => {
    const allocator = createIpAllocator({ cidr: 'fd00:43::/112', random });
    allocator.take('fd00:43::1');
    assert.match(allocator.takeAny(), /^fd00:43::[0-9a-f]+$/);
    const wide = createIpAllocator({ cidr: 'fd00:43::/64', random });
    assert.match(wide.takeAny(), /^fd00:43::/);
  });

  it('keep the lower band by the rule of upstream', () => {
    const sizes = [14, 254, 4094, 65534].map(staticBand);
    assert.deepEqual(sizes, [0, 16, 255, 256]);
  });

  it('keep ports in their range', () => {
    const ports = createPortAllocator({ range: { from: 30_000, to: 32_767 }, random });
    const port = ports.takeAny();
    assert.ok(port >= 30_086 && port <= 32_767);
    assert.throws(() => ports.take(port), { message: 'provided port is already allocated' });
    assert.throws(() => ports.take(80), {
      message: 'provided port is not in the valid range. The range of valid ports is 30000-32767',
    });
  });
});

function setUp(serviceCidrs = ['10.43.0.0/16']) {
  const reader = new FakeObjectReader();
  const allocation = createServiceAllocation({
    reader,
    random: seededRandom(7),
    log: silentLogger,
    serviceCidrs,
  });
  const scope = { subresource: '', dryRun: false } as HookScope;
  const create = (spec: object, name = 's'): Service & { undo: Undo } => {
    const own = structuredClone(spec);
    const service = { metadata: { namespace: 'ns', name }, spec: own } as Service;
    const undo = allocation.beforeCreate(service as never, scope) as Undo;
    return Object.assign(service, { undo });
  };
  const stored = (spec: object, name = 's'): Service => {
    const { metadata, spec: own } = create(spec, name);
    const service = { metadata, spec: own };
    reader.put(resources.services, service);
    return service;
  };
  const update = (old: Service, spec: object): Service & { undo: Undo } => {
    const service = { metadata: old.metadata, spec: structuredClone(spec) } as Service;
    const undo = allocation.beforeUpdate(service as never, old as never, scope) as Undo;
    return Object.assign(service, { undo });
  };
  return { reader, allocation, create, stored, update };
}

const tcp = { port: 80, protocol: 'TCP' };
const udp = { port: 80, protocol: 'UDP' };

describe('a new service', () => {
  it('gets an address, its family and policy', () => {
    const { spec } = setUp().create({ type: 'ClusterIP', ports: [tcp] });
    assert.match(spec?.clusterIP ?? '', /^10\.43\./);
    assert.deepEqual(spec?.clusterIPs, [spec?.clusterIP]);
    assert.deepEqual(spec?.ipFamilies, ['IPv4']);
    assert.equal(spec?.ipFamilyPolicy, 'SingleStack');
  });

  it('gets the address that it asks for, once', () => {
    const { create } = setUp();
    const first = create({ type: 'ClusterIP', clusterIP: '10.43.0.10' });
    assert.deepEqual(first.spec?.clusterIPs, ['10.43.0.10']);
    assert.throws(() => create({ clusterIP: '10.43.0.10', clusterIPs: ['10.43.0.10'] }, 't'), {
      httpCode: 422,
      message:
        'Service "t" is invalid: spec.clusterIPs: Invalid value: ["10.43.0.10"]: failed to allocate IP 10.43.0.10: provided IP is already allocated',
    });
    void first.undo();
    create({ clusterIP: '10.43.0.10' }, 't');
  });

  it('refuses an address outside of the range', () => {
    assert.throws(() => setUp().create({ clusterIPs: ['10.44.0.1'] }), {
      message:
        'Service "s" is invalid: spec.clusterIPs: Invalid value: ["10.44.0.1"]: failed to allocate IP 10.44.0.1: the provided IP (10.44.0.1) is not in the valid range. The range of valid IPs is 10.43.0.0/16',
    });
  });

  it('gets nothing when it is headless or a name only', () => {
    const { create } = setUp();
    const headless = create({ clusterIP: 'None', clusterIPs: ['None'], selector: { a: 'b' } });
    assert.deepEqual(headless.spec?.clusterIPs, ['None']);
    assert.deepEqual(headless.spec?.ipFamilies, ['IPv4']);
    const open = create({ clusterIP: 'None', clusterIPs: ['None'] });
    assert.equal(open.spec?.ipFamilyPolicy, 'RequireDualStack');
    assert.deepEqual(open.spec?.ipFamilies, ['IPv4', 'IPv6']);
    const name = create({ type: 'ExternalName', externalName: 'example.org' });
    assert.deepEqual(name.spec, { type: 'ExternalName', externalName: 'example.org' });
  });

  it('gets one node port for the same port over TCP and UDP', () => {
    const { spec } = setUp().create({ type: 'NodePort', ports: [tcp, udp, { port: 81 }] });
    const [first, second, third] = (spec?.ports ?? []).map((port) => port.nodePort);
    assert.ok(first !== undefined && first >= 30_000);
    assert.equal(first, second);
    assert.notEqual(first, third);
  });

  it('says which port is taken, and keeps nothing of a refused write', () => {
    const { create } = setUp();
    create({ type: 'NodePort', ports: [{ ...tcp, nodePort: 30_080 }] });
    const refused = { type: 'NodePort', clusterIP: '10.43.0.9' };
    const ports = [{ ...tcp, nodePort: 30_080 }];
    assert.throws(() => create({ ...refused, ports }, 't'), {
      httpCode: 422,
      message:
        'Service "t" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
    });
    create({ ...refused, ports: [tcp] }, 't');
  });

  it('gets no node ports when a load balancer needs none, but a health check port', () => {
    const { spec } = setUp().create({
      type: 'LoadBalancer',
      allocateLoadBalancerNodePorts: false,
      externalTrafficPolicy: 'Local',
      ports: [tcp],
    });
    assert.equal(spec?.ports?.[0]?.nodePort, undefined);
    assert.ok((spec?.healthCheckNodePort ?? 0) >= 30_000);
  });

  it('is dual-stack where the cluster is', () => {
    const both = ['10.43.0.0/16', 'fd00:43::/112'];
    const { spec } = setUp(both).create({ ipFamilyPolicy: 'PreferDualStack' });
    assert.deepEqual(spec?.ipFamilies, ['IPv4', 'IPv6']);
    assert.match(spec?.clusterIPs?.[1] ?? '', /^fd00:43::/);
    const six = setUp(both).create({ ipFamilies: ['IPv6'] });
    assert.match(six.spec?.clusterIP ?? '', /^fd00:43::/);
    assert.throws(() => setUp().create({ ipFamilyPolicy: 'RequireDualStack' }), {
      message:
        'Service "s" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    });
    assert.throws(() => setUp().create({ ipFamilies: ['IPv6'] }), {
      message:
        'Service "s" is invalid: spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    });
  });
});

describe('a changed service', () => {
  it('keeps address and ports that the update leaves out', () => {
    const { stored, update } = setUp();
    const old = stored({ type: 'NodePort', ports: [{ ...tcp }] });
    const next = update(old, { type: 'NodePort', ports: [{ ...tcp }] });
    assert.equal(next.spec?.clusterIP, old.spec?.clusterIP);
    assert.equal(next.spec?.ports?.[0]?.nodePort, old.spec?.ports?.[0]?.nodePort);
  });

  it('loses its ports with the type, and they are free once the change is stored', () => {
    const { reader, stored, update, create } = setUp();
    const old = stored({ type: 'NodePort', ports: [{ ...tcp, nodePort: 30_080 }] });
    const next = update(old, { ...old.spec, type: 'ClusterIP' });
    assert.equal(next.spec?.ports?.[0]?.nodePort, undefined);
    const again = { type: 'NodePort', ports: [{ ...tcp, nodePort: 30_080 }] };
    assert.throws(() => create(again, 't'), { message: /provided port is already allocated$/ });
    reader.put(resources.services, { metadata: next.metadata, spec: next.spec } as never);
    create(again, 't');
  });

  it('gives up its address as a name only, and gets one as a service again', () => {
    const { reader, stored, update, create } = setUp();
    const old = stored({ type: 'ClusterIP', clusterIP: '10.43.0.20' });
    const named = update(old, { ...old.spec, type: 'ExternalName', externalName: 'x.org' });
    assert.deepEqual(named.spec, { type: 'ExternalName', externalName: 'x.org' });
    const service = { metadata: named.metadata, spec: named.spec } as Service;
    reader.put(resources.services, service);
    create({ clusterIP: '10.43.0.20' }, 't');
    const back = update(service, { type: 'ClusterIP' });
    assert.match(back.spec?.clusterIP ?? '', /^10\.43\./);
  });

  it('gains and loses the second family by its policy', () => {
    const { reader, stored, update } = setUp(['10.43.0.0/16', 'fd00:43::/112']);
    const old = stored({ type: 'ClusterIP' });
    const up = update(old, { ...old.spec, ipFamilyPolicy: 'RequireDualStack' });
    assert.equal(up.spec?.clusterIPs?.length, 2);
    assert.equal(up.spec?.clusterIP, old.spec?.clusterIP);
    const dual = { metadata: up.metadata, spec: up.spec } as Service;
    reader.put(resources.services, dual);
    assert.throws(() => update(dual, { ...dual.spec, ipFamilies: ['IPv4'] }), {
      message: /must be 'SingleStack' to release the secondary IP family$/,
    });
    const down = update(dual, { ...dual.spec, ipFamilyPolicy: 'SingleStack' });
    assert.deepEqual(down.spec?.clusterIPs, [old.spec?.clusterIP]);
  });

  it('gives everything back when it is deleted', () => {
    const { reader, stored, create } = setUp();
    stored({ type: 'NodePort', clusterIP: '10.43.0.30', ports: [{ ...tcp, nodePort: 30_090 }] });
    reader.remove(resources.services, 'ns', 's');
    create({ type: 'NodePort', clusterIP: '10.43.0.30', ports: [{ ...tcp, nodePort: 30_090 }] });
  });
});

it('finds stored services that hold the same or what is out of range', () => {
  const { reader, allocation } = setUp();
  const put = (name: string, clusterIP: string): void =>
    reader.put(resources.services, {
      metadata: { namespace: 'ns', name },
      spec: { clusterIP, clusterIPs: [clusterIP] },
    } as never);
  put('a', '10.43.0.5');
  put('b', '10.43.0.5');
  put('c', '10.99.0.1');
  assert.deepEqual(allocation.check(), [
    'address 10.43.0.5 is held by ns/a and ns/b',
    'address 10.99.0.1 of ns/c: the provided IP (10.99.0.1) is not in the valid range. The range of valid IPs is 10.43.0.0/16',
  ]);
});
