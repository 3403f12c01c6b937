import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupLayout, missingControllers } from './cgroup-layout.ts';
import {
  cgroupSettings,
  cpuQuotaFromMilli,
  cpuSharesFromMilli,
  cpuWeightFromShares,
} from './cgroup-resources.ts';
import { parseFlatKeyed } from './cgroup-files.ts';
import { parseMountInfo } from './mounts.ts';

const hybrid =
  parseMountInfo(`1 0 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
2 0 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
3 0 0:2 / /other/memory rw - cgroup cgroup rw,memory
4 0 0:3 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
5 0 0:4 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`);
const unified = parseMountInfo('5 0 0:4 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n');

test('takes version 1 controllers beside a unified hierarchy as hybrid version 1', () => {
  const layout = cgroupLayout(hybrid, []);
  assert.equal(layout.version, 1);
  assert.equal(layout.isHybrid, true);
  assert.equal(layout.controllers.get('cpuacct'), '/sys/fs/cgroup/cpu,cpuacct');
  assert.deepEqual(layout.hierarchies, [
    '/sys/fs/cgroup/cpu,cpuacct',
    '/sys/fs/cgroup/memory',
    '/sys/fs/cgroup/systemd',
    '/sys/fs/cgroup/unified',
  ]);
  assert.deepEqual(missingControllers(layout), ['cpuset', 'pids']);
});

test('takes a machine with nothing but the unified hierarchy as version 2', () => {
  const layout = cgroupLayout(unified, ['cpuset', 'cpu', 'memory', 'pids']);
  assert.equal(layout.version, 2);
  assert.deepEqual(layout.hierarchies, ['/sys/fs/cgroup']);
  assert.deepEqual(missingControllers(layout), []);
});

test('says so when no cgroups are mounted', () => {
  assert.throws(() => cgroupLayout([], []), { code: 'CgroupsMissing' });
});

test('converts CPU requests and limits as upstream does', () => {
  assert.deepEqual([0, 1, 100, 1000, 1e9].map(cpuSharesFromMilli), [2, 2, 102, 1024, 262_144]);
  assert.equal(cpuQuotaFromMilli(0), undefined);
  assert.equal(cpuQuotaFromMilli(5), 1000);
  assert.equal(cpuQuotaFromMilli(500), 50_000);
});

test('converts shares to weights with the fixed points 2, 1024 and 262144', () => {
  assert.deepEqual([2, 1024, 262_144].map(cpuWeightFromShares), [1, 100, 10_000]);
});

test('writes version 1 limits to the files of their controllers', () => {
  const resources = { cpuShares: 512, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000, pidsLimit: -1 };
  assert.deepEqual(cgroupSettings({ ...resources, hugepageLimits: { '2MB': 4_194_304 } }, 1), [
    { controller: 'cpu', file: 'cpu.shares', value: '512' },
    { controller: 'cpu', file: 'cpu.cfs_period_us', value: '100000' },
    { controller: 'cpu', file: 'cpu.cfs_quota_us', value: '50000' },
    { controller: 'pids', file: 'pids.max', value: 'max' },
    { controller: 'hugetlb', file: 'hugetlb.2MB.limit_in_bytes', value: '4194304' },
  ]);
});

test('writes version 2 limits with max for none', () => {
  const resources = { cpuShares: 1024, cpuQuotaUs: -1, memoryLimitBytes: 1024 };
  assert.deepEqual(cgroupSettings({ ...resources, unified: { 'memory.min': '512' } }, 2), [
    { controller: 'cpu', file: 'cpu.weight', value: '100' },
    { controller: 'cpu', file: 'cpu.max', value: 'max 100000' },
    { controller: 'memory', file: 'memory.max', value: '1024' },
    { controller: 'memory', file: 'memory.min', value: '512' },
  ]);
});

test('reads flat keyed files', () => {
  const values = parseFlatKeyed('usage_usec 12\ninactive_file 4096\n');
  assert.equal(values.get('usage_usec'), 12);
  assert.equal(values.get('inactive_file'), 4096);
});
