import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { seededRandom } from '#base/random.ts';
import type { EventRecorder } from '#client/mod.ts';
import type { Service } from '#schema/types.ts';
import { openBackend } from '#store/mod.ts';
import { createPortRepair } from './port-repair.ts';
import { createStoredPorts, nodePortsKey } from './stored-ports.ts';

const range = { from: 30_000, to: 30_031 };

async function setUp(services: Service[]) {
  const backend = await openBackend({
    clock: systemClock,
    log: silentLogger,
    endpoint: 'memory://',
    dataDir: '',
    previousOf: () => undefined,
  });
  const random = seededRandom(5);
  const ports = createStoredPorts({ backend, range, random, rebuild: () => [] });
  const events: string[] = [];
  const recorder: EventRecorder = {
    event: (about, type, reason, message) => {
      const name = 'metadata' in about ? about.metadata.name : about.name;
      events.push(`${name} ${type} ${reason} ${message}`);
    },
    flush: () => Promise.resolve(),
  };
  const log = silentLogger;
  const repair = createPortRepair({
    services: () => services,
    ports,
    range,
    random,
    recorder,
    log,
  });
  const taken = async (): Promise<number[]> => (await ports.read()).ports().sort((a, b) => a - b);
  return { backend, ports, repair, events, taken };
}

const service = (name: string, ...nodePorts: number[]): Service => ({
  metadata: { name, namespace: 'ns' },
  spec: { type: 'NodePort', ports: nodePorts.map((nodePort) => ({ port: nodePort, nodePort })) },
});

test('the first run takes the ports of Services without a word', async () => {
  const { backend, repair, events, taken } = await setUp([
    service('a', 30_001),
    service('b', 30_002),
  ]);
  assert.equal(await backend.get(nodePortsKey), undefined);
  await repair.run();
  assert.deepEqual([await taken(), events], [[30_001, 30_002], []]);
  await backend.close();
});

test('a run that finds nothing to mend writes nothing', async () => {
  const { backend, repair } = await setUp([service('a', 30_001)]);
  await repair.run();
  const revision = backend.currentRevision;
  await repair.run();
  assert.equal(backend.currentRevision, revision);
  await backend.close();
});

test('ports that are missing, held twice or out of range are told of', async () => {
  const services = [service('a', 30_001), service('b', 30_001), service('c', 40_000)];
  const { backend, ports, repair, events, taken } = await setUp(services);
  await ports.change((set) => set.take(30_005));
  await repair.run();
  assert.deepEqual(events, [
    'a Warning PortNotAllocated Port 30001 is not allocated; repairing',
    'b Warning PortAlreadyAllocated Port 30001 was assigned to multiple services; please recreate service',
    'c Warning PortOutOfRange Port 40000 is not within the port range 30000-30031; please recreate service',
  ]);
  assert.deepEqual(await taken(), [30_001, 30_005]);
  await backend.close();
});

test('a port without a Service is free after the third look, unless a Service comes', async () => {
  const services: Service[] = [];
  const { backend, ports, repair, taken } = await setUp(services);
  await ports.change((set) => {
    set.take(30_005);
    set.take(30_006);
  });
  await repair.run();
  await repair.run();
  assert.deepEqual(await taken(), [30_005, 30_006]);
  services.push(service('late', 30_006));
  await repair.run();
  assert.deepEqual(await taken(), [30_006]);
  await backend.close();
});

test('a set of another range is made anew from the Services', async () => {
  const { backend, repair, taken } = await setUp([service('a', 30_009)]);
  const other = { kind: 'RangeAllocation', apiVersion: 'v1', range: '20000-20010', data: 'AQ==' };
  await backend.create(nodePortsKey, () => Buffer.from(JSON.stringify(other)));
  await repair.run();
  assert.deepEqual(await taken(), [30_009]);
  await backend.close();
});
