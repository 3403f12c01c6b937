import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { defaultKubeletConfig } from '../kubelet-config.ts';
import type { MachineInfo, MachineUsage } from '../machine-info.ts';
import { conditionEvent, nodeConditions } from './node-conditions.ts';
import { nodeAddresses } from './node-object.ts';
import { nodeAllocatable, nodeCapacity } from './node-resources.ts';
import { createPressureWatch, evictionSignals } from './pressure.ts';

const machine: MachineInfo = {
  cpuCount: 4,
  memoryBytes: 8 * 2 ** 30,
  machineId: 'm',
  systemUuid: 's',
  bootId: 'b',
  kernelVersion: '6',
  osImage: 'Test',
  architecture: 'amd64',
  hugePages: new Map([[2048, 64 * 2 ** 20]]),
};
const fs = { capacityBytes: 1000, availableBytes: 500, inodes: 100, inodesFree: 50 };
const usage: MachineUsage = {
  memoryAvailableBytes: 4 * 2 ** 30,
  nodeFs: fs,
  imageFs: fs,
  maxPid: 1000,
  processCount: 10,
};

test('allocatable is capacity without reservations, thresholds and huge pages', () => {
  const capacity = nodeCapacity(
    machine,
    { ...usage, nodeFs: { ...fs, capacityBytes: 2 ** 20 } },
    { maxPods: 7, podsPerCore: 0 },
  );
  assert.deepEqual(capacity, {
    cpu: '4',
    'ephemeral-storage': '1024Ki',
    memory: '8388608Ki',
    pods: '7',
    'hugepages-2Mi': '64Mi',
  });
  const config = { ...defaultKubeletConfig, kubeReserved: { cpu: '200m', memory: '1Gi' } };
  assert.deepEqual(nodeAllocatable(capacity, config), {
    cpu: '3800m',
    'ephemeral-storage': '943719',
    memory: `${8388608 - 1048576 - 102400 - 65536}Ki`,
    pods: '7',
    'hugepages-2Mi': '64Mi',
  });
});

test('pressure stays on for its transition time after the last low reading', async () => {
  const clock = new FakeClock();
  const watch = createPressureWatch({ clock, transitionMs: 300_000 });
  const observe = (availableBytes: number): void =>
    watch.observe(
      evictionSignals(
        machine,
        { ...usage, nodeFs: { ...fs, availableBytes } },
        defaultKubeletConfig,
      ),
    );
  observe(500);
  assert.deepEqual(watch.pressures(), { memory: false, disk: false, pid: false });
  observe(99);
  observe(500);
  assert.equal(watch.pressures().disk, true);
  await clock.advance(300_000);
  assert.equal(watch.pressures().disk, false);
});

test('conditions tell all problems, and transition times move with the status only', () => {
  const pressures = { memory: false, disk: true, pid: false };
  const first = nodeConditions({ pressures, problems: ['a', 'b'] }, [], 0);
  assert.deepEqual(
    first.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
    [
      'MemoryPressure False KubeletHasSufficientMemory',
      'DiskPressure True KubeletHasDiskPressure',
      'PIDPressure False KubeletHasSufficientPID',
      'Ready False KubeletNotReady',
    ],
  );
  assert.equal(first[3]?.message, '[a, b]');
  const second = nodeConditions({ pressures, problems: [] }, first, 60_000);
  assert.equal(second[1]?.lastTransitionTime, '1970-01-01T00:00:00Z');
  assert.equal(second[1]?.lastHeartbeatTime, '1970-01-01T00:01:00Z');
  assert.equal(second[3]?.lastTransitionTime, '1970-01-01T00:01:00Z');
  assert.deepEqual(second.map(conditionEvent), [
    'NodeHasSufficientMemory',
    'NodeHasDiskPressure',
    'NodeHasSufficientPID',
    'NodeReady',
  ]);
});

test('internal addresses come first, then external ones, then the host name', () => {
  const config = {
    ...defaultKubeletConfig,
    nodeIps: ['10.0.0.5', 'fd00::5'],
    externalIps: ['203.0.113.7'],
  };
  assert.deepEqual(nodeAddresses({ nodeName: 'n1', config }), [
    { type: 'InternalIP', address: '10.0.0.5' },
    { type: 'InternalIP', address: 'fd00::5' },
    { type: 'ExternalIP', address: '203.0.113.7' },
    { type: 'Hostname', address: 'n1' },
  ]);
});
