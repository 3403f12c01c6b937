import assert from 'node:assert/strict';
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { seededRandom } from '#base/random.ts';
import { writeAtomically } from './atomic-writer.ts';
import type { Payload } from './payload.ts';

async function setup(context: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-payload-'));
  context.after(() => rm(directory, { recursive: true }));
  const clock = new FakeClock(Date.UTC(2026, 0, 31, 13, 5, 59));
  const random = seededRandom(1);
  const write = (payload: Payload, fsGroup?: number): Promise<boolean> =>
    writeAtomically({ directory, payload, fsGroup, clock, random });
  return { directory, write };
}

const payloadOf = (files: Record<string, string>, mode = 0o644): Payload =>
  new Map(
    Object.entries(files).map(([path, text]) => [path, { content: Buffer.from(text), mode }]),
  );

test('writes files behind ..data and links their first path element', async (context) => {
  const { directory, write } = await setup(context);
  assert.equal(await write(payloadOf({ a: '1', 'b/c/d': '2', 'b/e': '3' })), true);
  const names = (await readdir(directory)).sort();
  assert.match(names[0] ?? '', /^\.\.2026_01_31_13_05_59\.\d+$/);
  assert.deepEqual(names.slice(1), ['..data', 'a', 'b']);
  assert.equal(await readlink(join(directory, '..data')), names[0]);
  assert.equal(await readlink(join(directory, 'b')), '..data/b');
  assert.equal(await readFile(join(directory, 'b/c/d'), 'utf8'), '2');
  assert.equal((await stat(join(directory, '..data/'))).mode & 0o7777, 0o755);
});

test('writes nothing when content and modes are the same', async (context) => {
  const { directory, write } = await setup(context);
  await write(payloadOf({ a: '1' }));
  const before = await readlink(join(directory, '..data'));
  assert.equal(await write(payloadOf({ a: '1' })), false);
  assert.equal(await readlink(join(directory, '..data')), before);
  assert.equal(await write(payloadOf({ a: '1' }, 0o600)), true);
  assert.equal((await stat(join(directory, 'a'))).mode & 0o777, 0o600);
});

test('removes files that are gone and the directory of the write before', async (context) => {
  const { directory, write } = await setup(context);
  await write(payloadOf({ a: '1', b: '1', 'c/d': '1' }));
  await write(payloadOf({ b: '2', 'c/e': '2' }));
  const names = (await readdir(directory)).sort();
  assert.equal(names.filter((name) => name.startsWith('..2026')).length, 1);
  assert.deepEqual(names.slice(1), ['..data', 'b', 'c']);
  assert.deepEqual(await readdir(join(directory, 'c')), ['e']);
});

test('an empty payload is a directory without files', async (context) => {
  const { directory, write } = await setup(context);
  assert.equal(await write(new Map()), true);
  assert.equal((await lstat(join(directory, '..data'))).isSymbolicLink(), true);
  assert.equal(await write(new Map()), false);
});

test('refuses paths that would leave the volume', async (context) => {
  const { write } = await setup(context);
  for (const path of ['/etc/x', '../x', 'a/../../x', '..data/x', '']) {
    await assert.rejects(write(payloadOf({ [path]: 'x' })), { code: 'VolumeSetUp' }, path);
  }
});

test(
  'gives files to the group of the pod with at least group read',
  { skip: process.getuid?.() === 0 ? false : 'needs root' },
  async (context) => {
    const { directory, write } = await setup(context);
    await write(payloadOf({ 'a/b': '1' }, 0o600), 4242);
    const file = await stat(join(directory, 'a/b'));
    assert.equal(file.gid, 4242);
    assert.equal(file.mode & 0o777, 0o640);
    const parent = await stat(join(directory, '..data/a'));
    assert.equal(parent.gid, 4242);
    assert.equal(parent.mode & 0o7777, 0o2755);
    const root = await stat(directory);
    assert.deepEqual([root.gid, root.mode & 0o2770], [4242, 0o2770]);
    assert.equal((await lstat(join(directory, 'a'))).gid, 4242);
    assert.equal(await write(payloadOf({ 'a/b': '1' }, 0o600), 4242), false);
  },
);
