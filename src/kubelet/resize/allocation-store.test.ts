import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { createAllocationStore } from './allocation-store.ts';

test('allocations are kept in the form of upstream, and found again', async (t) => {
  const rootDir = await mkdtemp(join(tmpdir(), 'k3ts-allocations-'));
  t.after(() => rm(rootDir, { recursive: true, force: true }));
  const start = async () => {
    const store = createAllocationStore({ rootDir, log: silentLogger });
    await store.load();
    return store;
  };
  const resources = { requests: { cpu: '1' } };
  const store = await start();
  store.allocate('u1', { containers: { c: resources } });
  store.actuate('u1', { id: 'id1', name: 'c', resources });
  await store.flushed();
  const path = join(rootDir, 'allocated_pods_state');
  const { data, checksum } = JSON.parse(await readFile(path, 'utf8')) as {
    data: string;
    checksum: number;
  };
  assert.deepEqual(JSON.parse(data), { entries: { u1: { ContainerResources: { c: resources } } } });
  assert.equal(typeof checksum, 'number');
  const next = await start();
  assert.deepEqual(next.allocated('u1'), { containers: { c: resources } });
  assert.deepEqual(next.actuated('id1'), resources);
  next.forget('u1');
  await next.flushed();
  assert.equal((await start()).allocated('u1'), undefined);
  await writeFile(path, JSON.stringify({ data, checksum: checksum + 1 }));
  assert.equal((await start()).allocated('u1'), undefined);
});
