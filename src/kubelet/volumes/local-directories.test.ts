import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLocalDirectories } from './local-directories.ts';

let root: string;
const directories = createLocalDirectories();
const modeOf = async (path: string): Promise<string> =>
  ((await stat(path)).mode & 0o7777).toString(8);

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'k3ts-local-'));
});
after(async () => await rm(root, { recursive: true, force: true }));

test('a directory is open to all, the one above it to root alone', async () => {
  const path = join(root, 'storage/pvc-1_shop_data');
  await directories.make(path);
  await directories.make(path);
  assert.equal(await modeOf(path), '777');
  assert.equal(await modeOf(join(root, 'storage')), '700');
});

test('removing takes the content along and may be repeated', async () => {
  const path = join(root, 'storage/pvc-2_shop_data');
  await mkdir(join(path, 'deep'), { recursive: true });
  await writeFile(join(path, 'deep/file'), 'text');
  await directories.remove(path);
  await directories.remove(path);
  await assert.rejects(stat(path), { code: 'ENOENT' });
});

test('paths that no volume has are refused', async () => {
  for (const path of ['', '/', '/etc', 'relative/path', '/a/../etc', '/a//b', '/a/b/']) {
    await assert.rejects(directories.remove(path), { code: 'DirectoryPath' }, path);
    await assert.rejects(directories.make(path), { code: 'DirectoryPath' }, path);
  }
});
