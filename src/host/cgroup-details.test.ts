import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { readCgroupDetails } from './cgroup-details.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

async function layoutOf(
  t: TestContext,
  version: 1 | 2,
  files: Readonly<Record<string, string>>,
): Promise<CgroupLayout> {
  const root = await mkdtemp(join(tmpdir(), 'k3ts-cgroup-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'pod'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, 'pod', name), text);
  const names = ['cpu', 'cpuacct', 'memory', 'pids', 'io'];
  const controllers = new Map(names.map((name) => [name, root]));
  return { version, isHybrid: false, controllers, hierarchies: [root] };
}

test('version 1: limits, throttling and kinds of memory', async (t) => {
  const layout = await layoutOf(t, 1, {
    'cpuacct.usage_user': '5\n',
    'cpu.stat': 'nr_periods 3\nnr_throttled 2\nthrottled_time 7\n',
    'cpu.shares': '512',
    'cpu.cfs_quota_us': '-1',
    'cpu.cfs_period_us': '100000',
    'memory.stat': 'cache 1\ntotal_cache 9\ntotal_swap 8\n',
    'memory.limit_in_bytes': '9223372036854771712',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 6\n',
    'pids.max': 'max',
  });
  const details = await readCgroupDetails(layout, 'pod');
  assert.equal(details?.cpuUserNanoseconds, 5);
  assert.deepEqual([details?.cfsPeriods, details?.cfsThrottledPeriods], [3, 2]);
  assert.equal(details?.cpuShares, 512);
  assert.equal(details?.cpuQuotaUs, undefined);
  assert.deepEqual([details?.memoryCacheBytes, details?.memorySwapBytes], [9, 8]);
  assert.equal(details?.memoryLimitBytes, undefined);
  assert.equal(details?.oomKills, 6);
  assert.equal(details?.maxThreads, undefined);
  assert.equal(await readCgroupDetails(layout, 'gone'), undefined);
});

test('version 2: the same in its own files, and how long tasks waited', async (t) => {
  const line = 'avg10=1.50 avg60=0.20 avg300=0.03 total=1234';
  const layout = await layoutOf(t, 2, {
    'cpu.stat': 'usage_usec 9\nuser_usec 4\nsystem_usec 5\nthrottled_usec 6\n',
    'cpu.weight': '100',
    'cpu.max': '20000 100000',
    'cpu.pressure': `some ${line}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`,
    'memory.stat': 'anon 1\nfile 2\nfile_mapped 3\n',
    'memory.swap.current': '10',
    'memory.swap.max': '100',
    'memory.max': 'max',
    'memory.events': 'low 0\nmax 4\noom_kill 1\n',
    'pids.current': '2',
    'pids.max': '50',
  });
  const details = await readCgroupDetails(layout, 'pod');
  assert.equal(details?.cpuUserNanoseconds, 4000);
  assert.deepEqual([details?.cpuQuotaUs, details?.cpuPeriodUs], [20_000, 100_000]);
  assert.equal(details?.cpuShares, 2597);
  assert.deepEqual([details?.memorySwapBytes, details?.memorySwapLimitBytes], [10, 100]);
  assert.equal(details?.memoryFailures, 4);
  assert.equal(details?.maxThreads, 50);
  const some = { avg10: 1.5, avg60: 0.2, avg300: 0.03, totalUs: 1234 };
  assert.deepEqual(details?.cpuPressure?.some, some);
  assert.equal(details?.memoryPressure, undefined);
});
