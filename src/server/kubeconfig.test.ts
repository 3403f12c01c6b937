import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { createLogger } from '#base/log.ts';
import { writeAdminKubeconfig } from './kubeconfig.ts';

let directory: string;
let logLines: string[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'k3ts-kubeconfig-'));
  logLines = [];
});
afterEach(async () => await rm(directory, { recursive: true, force: true }));

/** Writes `name`, with `link` as k3s' own path. */
async function write(name: string, link = 'etc/k3s.yaml'): Promise<string> {
  const path = join(directory, name);
  await writeAdminKubeconfig({
    kubeconfig: { path, mode: 0o640, group: undefined, link: join(directory, link) },
    content: name,
    log: createLogger({ level: 'info', now: () => 0, write: (line) => void logLines.push(line) }),
  });
  return path;
}

const usual = () => join(directory, 'etc/k3s.yaml');

test("the usual path of a kubeconfig becomes a link to the one of the user's choice", async () => {
  const path = await write('mine/config');
  assert.equal(await readlink(usual()), path);
  assert.equal(await readFile(usual(), 'utf8'), 'mine/config');
  assert.equal((await stat(path)).mode & 0o777, 0o640);
  const other = await write('other');
  assert.equal(await readlink(usual()), other);
});

test('a kubeconfig at the usual path is a file, also in place of a link', async () => {
  await write('mine');
  await write('etc/k3s.yaml');
  await assert.rejects(readlink(usual()), { code: 'EINVAL' });
  assert.equal(await readFile(usual(), 'utf8'), 'etc/k3s.yaml');
});

test('the link takes the place of the file that an earlier start wrote', async () => {
  await write('etc/k3s.yaml');
  assert.equal(await readlink(usual()).catch(() => 'a file'), 'a file');
  const path = await write('mine');
  assert.equal(await readlink(usual()), path);
});

test('servers that start at once do not fail each other: one of them has the link', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `config-${index}`);
  const paths = await Promise.all(names.map((name) => write(name)));
  assert.ok(paths.includes(await readlink(usual())));
  assert.deepEqual(await readdir(join(directory, 'etc')), ['k3s.yaml']);
  assert.deepEqual(logLines, []);
});

test('a link that cannot be made is logged and does not end the start', async () => {
  await mkdir(join(directory, 'etc'));
  await mkdir(usual());
  await writeFile(join(usual(), 'kept'), '');
  const path = await write('mine');
  assert.equal(await readFile(path, 'utf8'), 'mine');
  assert.deepEqual(await readdir(usual()), ['kept']);
  assert.deepEqual(await readdir(join(directory, 'etc')), ['k3s.yaml']);
  assert.match(logLines.join('\n'), /level=error msg="Failed to write kubeconfig symlink"/);
});
