import assert from 'node:assert/strict';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { directoryUsage, statFilesystem } from './disk.ts';

test('adds up allocated blocks and counts hard links once', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-disk-'));
  context.after(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'a'));
  const empty = await directoryUsage(directory);
  await writeFile(join(directory, 'a/file'), Buffer.alloc(64 * 1024, 1));
  await link(join(directory, 'a/file'), join(directory, 'again'));
  const usage = await directoryUsage(directory);
  assert.equal(usage.usedBytes - empty.usedBytes, 64 * 1024);
  assert.equal(usage.inodesUsed - empty.inodesUsed, 1);
  assert.equal(usage.isComplete, true);
});

test('says so when it stopped at its bound', async () => {
  assert.equal((await directoryUsage(import.meta.dirname, { maxEntries: 2 })).isComplete, false);
});

test('reads the size of a file system', async () => {
  const stats = await statFilesystem(tmpdir());
  assert.ok(stats.capacityBytes > stats.availableBytes && stats.inodes >= stats.inodesFree);
});
