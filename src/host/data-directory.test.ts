import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { prepareDataDirectory } from './data-directory.ts';
import { isInPrivateMountNamespace, rerunPrivately } from './testing.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'k3ts-data-directory-'));
});
after(async () => await rm(directory, { recursive: true, force: true }));

test('makes the directory, those above it and the folders in it, and leaves nothing else', async () => {
  const path = join(directory, 'a/b');
  const folders = [{ path: join(path, 'server/db'), mode: 0o700 }];
  await prepareDataDirectory(path, folders);
  await prepareDataDirectory(path, folders);
  assert.equal((await stat(join(path, 'server/db'))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(path, 'server/db')), []);
});

test('a place without directories of its own ends with a line', async () => {
  await assert.rejects(prepareDataDirectory('/proc', [{ path: '/proc/k3ts-test', mode: 0o700 }]), {
    code: 'Usage',
    message: /^cannot use --data-dir \/proc: ENOENT: .*mkdir '\/proc\/k3ts-test'; choose a dir/,
  });
});

test('a file in the way ends with a line', async () => {
  const file = join(directory, 'file');
  await writeFile(file, '');
  await assert.rejects(prepareDataDirectory(file, []), {
    message: /EEXIST.*; choose a directory$/,
  });
  await assert.rejects(prepareDataDirectory(join(file, 'x'), []), { message: /ENOTDIR/ });
});

if (isInPrivateMountNamespace()) {
  for (const [options, code] of [
    ['size=16k', 'ENOSPC'],
    ['ro', 'EROFS'],
  ] as const) {
    test(`a file system mounted with ${options} is refused with ${code}`, async () => {
      const path = join(directory, code);
      await mkdir(path);
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
      try {
        await assert.rejects(prepareDataDirectory(path, [{ path: `${path}/x`, mode: 0o700 }]), {
          code: 'Usage',
          message: new RegExp(`^cannot use --data-dir ${path}: ${code}: .*; (free|choose) `),
        });
        assert.deepEqual(
          (await readdir(path)).filter((name) => name !== 'x'),
          [],
        );
      } finally {
        spawnSync('umount', [path]);
      }
    });
  }
} else {
  rerunPrivately(import.meta.filename);
}
