import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '#client/mod.ts';
import type { Endpoints, EndpointSlice, Node, Pod, Service, ServiceSpec } from '#schema/types.ts';
import { startEndpointsController } from '../endpoints/mod.ts';
import { createHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { startEndpointSliceController } from './endpoint-slice-controller.ts';

const labels = { app: 'web' };

function service(spec: Partial<ServiceSpec> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', uid: 's-uid', labels: { team: 'a' } },
    spec: {
      clusterIP: '10.43.0.9',
      ipFamilies: ['IPv4'],
      selector: labels,
      ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' }],
      ...spec,
    },
  };
}

function pod(name: string, ip: string, isReady = true, port = 8080): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: `${name}-uid`, labels },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'c', ports: [{ name: 'web', containerPort: port }] }],
    },
    status: {
      phase: 'Running',
      ...(ip === '' ? {} : { podIP: ip, podIPs: [{ ip }] }),
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  };
}

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } },
};

function start(...objects: (Service | Pod)[]): Harness {
  const controllers = [startEndpointSliceController, startEndpointsController];
  return createHarness(controllers, { objects: [node, ...objects] });
}

const slicesOf = (harness: Harness): EndpointSlice[] =>
  harness.client.all<EndpointSlice>(resources.endpointSlices);
const endpointsOf = (harness: Harness): Endpoints | undefined =>
  harness.client.stored<Endpoints>(resources.endpoints, 'shop/web');

test('a slice shows each pod with its port, node, zone and conditions', async () => {
  const harness = start(
    service(),
    pod('a', '10.42.0.5'),
    pod('b', '10.42.0.6', false),
    pod('c', ''),
  );
  await harness.run(1000);
  const [slice] = slicesOf(harness);
  assert.match(slice?.metadata.name ?? '', /^web-[a-z0-9]{5}$/);
  assert.deepEqual(slice?.metadata.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
  assert.equal(slice?.metadata.ownerReferences?.[0]?.uid, 's-uid');
  assert.deepEqual(slice?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
  assert.deepEqual(slice?.endpoints, [
    {
      addresses: ['10.42.0.5'],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace: 'shop', name: 'a', uid: 'a-uid' },
      nodeName: 'n1',
      zone: 'z1',
    },
    {
      addresses: ['10.42.0.6'],
      conditions: { ready: false, serving: false, terminating: false },
      targetRef: { kind: 'Pod', namespace: 'shop', name: 'b', uid: 'b-uid' },
      nodeName: 'n1',
      zone: 'z1',
    },
  ]);
  assert.deepEqual(endpointsOf(harness)?.subsets, [
    {
      addresses: [
        {
          ip: '10.42.0.5',
          nodeName: 'n1',
          targetRef: { kind: 'Pod', namespace: 'shop', name: 'a', uid: 'a-uid' },
        },
      ],
      notReadyAddresses: [
        {
          ip: '10.42.0.6',
          nodeName: 'n1',
          targetRef: { kind: 'Pod', namespace: 'shop', name: 'b', uid: 'b-uid' },
        },
      ],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    },
  ]);
  await harness.stop();
});

test('a pod that goes away serves as terminating, and leaves Endpoints at once', async () => {
  const harness = start(service(), pod('a', '10.42.0.5'));
  await harness.run(1000);
  await harness.client.delete(resources.pods, 'a', { namespace: 'shop' });
  await harness.run(1000);
  assert.deepEqual(slicesOf(harness)[0]?.endpoints?.[0]?.conditions, {
    ready: false,
    serving: true,
    terminating: true,
  });
  assert.deepEqual(endpointsOf(harness)?.subsets, []);
  harness.client.remove(resources.pods, 'shop/a');
  await harness.run(1000);
  assert.deepEqual(slicesOf(harness)[0]?.endpoints, []);
  assert.equal(slicesOf(harness).length, 1);
  await harness.stop();
});

test('publishNotReadyAddresses makes pods ready for DNS before they are', async () => {
  const harness = start(
    service({ publishNotReadyAddresses: true, clusterIP: 'None' }),
    pod('a', '10.42.0.5', false),
  );
  await harness.run(1000);
  const [slice] = slicesOf(harness);
  assert.deepEqual(slice?.endpoints?.[0]?.conditions, {
    ready: true,
    serving: false,
    terminating: false,
  });
  assert.equal(slice?.metadata.labels?.['service.kubernetes.io/headless'], '');
  assert.equal(endpointsOf(harness)?.subsets?.[0]?.addresses?.length, 1);
  await harness.stop();
});

test('pods whose named port differs get a slice and a subset each', async () => {
  const harness = start(service(), pod('a', '10.42.0.5'), pod('b', '10.42.0.6', true, 9090));
  await harness.run(1000);
  assert.deepEqual(
    slicesOf(harness)
      .map((slice) => slice.ports?.[0]?.port ?? 0)
      .sort((a, b) => a - b),
    [8080, 9090],
  );
  assert.equal(endpointsOf(harness)?.subsets?.length, 2);
  await harness.stop();
});

test('dual stack has slices for both families', async () => {
  const both = pod('a', '10.42.0.5');
  both.status!.podIPs = [{ ip: '10.42.0.5' }, { ip: 'fd00::5' }];
  const harness = start(service({ ipFamilies: ['IPv4', 'IPv6'] }), both);
  await harness.run(1000);
  assert.deepEqual(
    slicesOf(harness)
      .map((slice) => `${slice.addressType} ${slice.endpoints?.[0]?.addresses[0]}`)
      .sort(),
    ['IPv4 10.42.0.5', 'IPv6 fd00::5'],
  );
  await harness.stop();
});

test('a hundred pods that become ready together cost few writes, the first none of the wait', async () => {
  const pods = Array.from({ length: 100 }, (_, i) => pod(`p${i}`, `10.42.1.${i}`, false));
  const harness = start(service(), ...pods);
  await harness.run(1000);
  const { client } = harness;
  client.clearActions();
  for (const { metadata } of pods) {
    client.modify<Pod>(resources.pods, `shop/${metadata.name}`, (object) => ({
      ...object,
      status: { ...object.status, conditions: [{ type: 'Ready', status: 'True' }] },
    }));
    await harness.run(2);
  }
  await harness.run(1000);
  const writes = client.actions.filter(({ resource }) => resource === 'endpointslices').length;
  assert.ok(writes >= 2 && writes <= 8, String(writes));
  const ready = slicesOf(harness)[0]?.endpoints?.filter(({ conditions }) => conditions?.ready);
  assert.equal(ready?.length, 100);
  await harness.stop();
});

test('services without selector and slices of others are left alone', async () => {
  const harness = start(service({ selector: {} }));
  const own: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'mine',
      namespace: 'shop',
      labels: { 'kubernetes.io/service-name': 'web' },
    },
    addressType: 'IPv4',
    endpoints: [],
  };
  harness.client.add(own);
  await harness.run(1000);
  assert.deepEqual(
    slicesOf(harness).map(({ metadata }) => metadata.name),
    ['mine'],
  );
  assert.deepEqual(harness.client.actions, []);
  await harness.stop();
});

test('a slice that somebody changes is put right, and Endpoints go with their service', async () => {
  const harness = start(service(), pod('a', '10.42.0.5'));
  await harness.run(1000);
  const { client } = harness;
  const name = slicesOf(harness)[0]?.metadata.name;
  client.modify<EndpointSlice>(resources.endpointSlices, `shop/${name}`, (slice) => ({
    ...slice,
    endpoints: [],
  }));
  await harness.run(1000);
  assert.equal(slicesOf(harness)[0]?.endpoints?.length, 1);
  await client.delete(resources.services, 'web', { namespace: 'shop' });
  await harness.run(1000);
  assert.equal(endpointsOf(harness), undefined);
  await harness.stop();
});

test('a pod of a node that is not there is no endpoint until the node comes', async () => {
  const lost = pod('lost', '10.42.0.7');
  const harness = start(service(), pod('a', '10.42.0.5'), {
    ...lost,
    spec: { ...lost.spec!, nodeName: 'n2' },
  });
  await harness.run(1000);
  const addresses = (): string[] =>
    slicesOf(harness).flatMap(({ endpoints = [] }) => endpoints.flatMap((one) => one.addresses));
  assert.deepEqual(addresses(), ['10.42.0.5']);
  harness.client.add({ ...node, metadata: { name: 'n2' } });
  await harness.run(1000);
  assert.deepEqual(addresses().toSorted(), ['10.42.0.5', '10.42.0.7']);
  await harness.stop();
});

test('Endpoints that somebody keeps without a service stay, those left behind go', async () => {
  const harness = start();
  const made = (name: string): Endpoints => ({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name, namespace: 'shop' },
    subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80, protocol: 'TCP' }] }],
  });
  harness.client.add(made('left-behind'));
  await harness.run(1000);
  harness.client.add(made('by-hand'));
  await harness.run(1000);
  harness.client.modify<Endpoints>(resources.endpoints, 'shop/by-hand', (object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { changed: 'yes' } },
  }));
  await harness.run(1000);
  const names = harness.client.all<Endpoints>(resources.endpoints).map((one) => one.metadata.name);
  assert.deepEqual(names, ['by-hand']);
  await harness.stop();
});

test('a service that asks for hints by zone gets them, and is told when they cannot be', async () => {
  const annotations = { 'service.kubernetes.io/topology-mode': 'Auto' };
  const asking = service();
  asking.metadata.annotations = annotations;
  const ready = [{ type: 'Ready', status: 'True' }];
  const nodeIn = (name: string, zone: string): Node => ({
    ...node,
    metadata: { name, labels: { 'topology.kubernetes.io/zone': zone } },
    status: { allocatable: { cpu: '2' }, conditions: ready },
  });
  const elsewhere = pod('b', '10.42.1.5');
  const harness = start(asking, pod('a', '10.42.0.5'), {
    ...elsewhere,
    spec: { ...elsewhere.spec!, nodeName: 'n2' },
  });
  harness.client.add(nodeIn('n2', 'z2'));
  await harness.run(1000);
  const zones = (): (string | undefined)[] =>
    slicesOf(harness)
      .flatMap(({ endpoints = [] }) => endpoints)
      .map(({ hints }) => hints?.forZones?.[0]?.name);
  assert.deepEqual(zones(), [undefined, undefined]);
  const problem =
    'TopologyAwareHintsDisabled: Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4';
  assert.ok(
    harness.events().some((text) => text.startsWith(problem)),
    harness.events().join(),
  );
  harness.client.modify<Node>(resources.nodes, 'n1', (live) => ({
    ...live,
    status: nodeIn('n1', 'z1').status,
  }));
  await harness.run(1000);
  assert.deepEqual(zones(), ['z1', 'z2']);
  const on = 'TopologyAwareHintsEnabled: Topology Aware Hints has been enabled, addressType: IPv4';
  assert.ok(harness.events().includes(on));
  await harness.stop();
});
