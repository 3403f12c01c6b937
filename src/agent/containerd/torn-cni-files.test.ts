import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { removeTornCniFiles } from './torn-cni-files.ts';

test('unfinished results and addresses without owner go, unless they are new', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'k3ts-cni-'));
  context.after(() => rm(directory, { recursive: true }));
  const files: readonly [path: string, text: string, seconds: number][] = [
    ['results/cbr0-good-eth0', '{"kind":"cniCacheV1"}', 100],
    ['results/cbr0-empty-eth0', '', 100],
    ['results/cbr0-half-eth0', '{"kind":"cniC', 100],
    ['results/cbr0-new-eth0', '', 300],
    ['networks/cbr0/10.42.0.2', 'id\r\neth0', 100],
    ['networks/cbr0/10.42.0.3', '', 100],
    ['networks/cbr0/fd00::3', '', 100],
    ['networks/cbr0/10.42.0.4', '', 300],
    ['networks/cbr0/lock', '', 100],
    ['networks/cbr0/last_reserved_ip.0', '', 100],
  ];
  for (const [path, text, seconds] of files) {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), text);
    await utimes(join(directory, path), seconds, seconds);
  }
  const options = { directory, beforeMs: 200_000, log: silentLogger };
  assert.equal((await removeTornCniFiles(options)).length, 4);
  const left = [
    ...(await readdir(join(directory, 'results'))),
    ...(await readdir(join(directory, 'networks/cbr0'))),
  ];
  assert.deepEqual(left.sort(), [
    '10.42.0.2',
    '10.42.0.4',
    'cbr0-good-eth0',
    'cbr0-new-eth0',
    'last_reserved_ip.0',
    'lock',
  ]);
  assert.deepEqual(await removeTornCniFiles(options), []);
});

test('a machine without pods yet has nothing to look at', async () => {
  const options = { directory: '/nonexistent', beforeMs: 1, log: silentLogger };
  assert.deepEqual(await removeTornCniFiles(options), []);
});
