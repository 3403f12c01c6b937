import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CgroupResources } from '#host/cgroup-resources.ts';
import type { CgroupTree } from '#host/cgroups.ts';
import type { Pod } from '#schema/types.ts';
import { createPodCgroups, podCgroupResources } from './pod-cgroups.ts';

type Amounts = Record<string, string>;

function podOf(uid: string, ...containers: { requests?: Amounts; limits?: Amounts }[]): Pod {
  return {
    metadata: { name: uid, uid },
    spec: {
      containers: containers.map((resources, index) => ({
        name: `c${index}`,
        image: 'i',
        resources,
      })),
    },
  };
}

const guaranteed = podOf('g', { limits: { cpu: '500m', memory: '64Mi' } });
const burstable = podOf('b', { requests: { cpu: '250m' } }, { limits: { memory: '64Mi' } });
const bestEffort = podOf('e', {});

/** Cgroups in memory: path to what was set. */
function setup() {
  const groups = new Map<string, CgroupResources>();
  const tree: CgroupTree = {
    layout: { version: 2, isHybrid: false, controllers: new Map(), hierarchies: [] },
    create: async (path, resources = {}) =>
      void groups.set(path, { ...groups.get(path), ...resources }),
    update: async (path, resources) => void groups.set(path, { ...groups.get(path), ...resources }),
    remove: async (path) => void groups.delete(path),
    exists: async (path) => groups.has(path),
    children: async (path) =>
      [...groups.keys()]
        .filter((key) => key.startsWith(`${path}/`) && !key.slice(path.length + 1).includes('/'))
        .map((key) => key.slice(path.length + 1)),
    processes: async () => [],
    enter: async () => undefined,
  };
  const cgroups = createPodCgroups({
    tree,
    podsMilliCpu: 2000,
    podsMemoryBytes: 2 ** 30,
    podPidsLimit: 100,
  });
  return { groups, cgroups };
}

test('puts pods below the cgroup of their QoS class', () => {
  const { cgroups } = setup();
  assert.equal(cgroups.parentOf(guaranteed), '/kubepods/podg');
  assert.equal(cgroups.parentOf(burstable), '/kubepods/burstable/podb');
  assert.equal(cgroups.parentOf(bestEffort), '/kubepods/besteffort/pode');
});

test('a container is below its pod', async () => {
  const { groups, cgroups } = setup();
  await cgroups.create(burstable);
  groups.set('/kubepods/burstable/podb/c1', {});
  await cgroups.removeContainer(burstable, 'c1');
  assert.equal(groups.has('/kubepods/burstable/podb/c1'), false);
  assert.equal(groups.has('/kubepods/burstable/podb'), true);
});

test('limits the tree to what pods may use and a class to the requests of its pods', async () => {
  const { groups, cgroups } = setup();
  for (const pod of [guaranteed, burstable, bestEffort]) await cgroups.create(pod);
  assert.deepEqual(groups.get('/kubepods'), { cpuShares: 2048, memoryLimitBytes: 2 ** 30 });
  assert.deepEqual(groups.get('/kubepods/besteffort'), { cpuShares: 2 });
  assert.deepEqual(groups.get('/kubepods/burstable'), { cpuShares: 256 });
  assert.deepEqual((await cgroups.list()).sort(), ['b', 'e', 'g']);
  await cgroups.remove('b');
  assert.deepEqual(groups.get('/kubepods/burstable'), { cpuShares: 2 });
  assert.deepEqual((await cgroups.list()).sort(), ['e', 'g']);
});

test('limits a pod only by what all of its containers are limited by', () => {
  assert.deepEqual(podCgroupResources(guaranteed, {}), {
    cpuShares: 512,
    cpuQuotaUs: 50_000,
    cpuPeriodUs: 100_000,
    memoryLimitBytes: 64 * 2 ** 20,
  });
  assert.deepEqual(podCgroupResources(burstable, { podPidsLimit: 50 }), {
    cpuShares: 256,
    pidsLimit: 50,
  });
  assert.deepEqual(podCgroupResources(bestEffort, {}), { cpuShares: 2 });
});
